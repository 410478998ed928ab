"""`POST /v1/inspect`: what one layer of a network does while it reads a text.

The route, its body and its answer. The numbers are for pictures and are rounded, so that the
answer is bounded by its text's length.
"""

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypedDict

from model.config import ModelConfig
from model.decoding.generation import TokenLogprob
from model.errors import ParameterError
from model.gate_activations import LayerInspection
from model.parameters import MAX_LOGPROBS
from model.tokenizer import EncodedPrompt
from service.api.jobs import Jobs
from service.api.json_text import json_object_parts
from service.api.prompt_length import require_fits
from service.api.prompt_scoring import scores_of, start_scoring, text_facts
from service.api.request_body import json_object, validated, whole_characters
from service.api.response_models import TextFacts, closed
from service.api.submission import find_model
from service.models.registry import Registry
from service.models.served_model import ServedModel
from service.settings import Settings

SURPRISAL_DECIMALS = 6
OPENING_DECIMALS = 5
PROBABILITY_DIGITS = 6  # that count, however small it is


class InspectRequest(BaseModel):
    """One text, and the layer of a model that is to be looked into while it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )
    text: str = Field(min_length=1, description="the text to read, from its first character on")
    layer: int | None = Field(
        None, ge=0, description="which layer to look into, 0 the lowest; unset takes the top one"
    )
    top: int = Field(
        5, ge=0, le=MAX_LOGPROBS, description="give this many likeliest tokens at each place"
    )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Request from a JSON object. Raises ParameterError, which names the field."""
        return validated(cls, content)

    _whole_characters = field_validator("text")(whole_characters)


@closed
class Likely(TypedDict):
    """A token that was likely at a place."""

    token: str
    probability: Annotated[float, Field(ge=0, le=1)]


@closed
class TokenSeen(Likely):
    """A token of the text, as it was read."""

    surprisal: Annotated[float, Field(ge=0, description="in bits, given all before it")]
    top: Annotated[list[Likely], Field(description="the likeliest in its place")]


@closed
class GateOpenings(TypedDict):
    """How far the gates stood open, as means over the units of the layer: a number a token."""

    input: list[float]
    forget: list[float]
    output: list[float]


@closed
class InspectAnswer(TypedDict):
    """Answer of /v1/inspect: one layer while it read a text of T tokens; H is its width."""

    id: Annotated[str, Field(description="to cancel it by")]
    model: str
    num_layers: Annotated[int, Field(ge=1)]
    hidden_size: Annotated[int, Field(ge=1)]
    layer: Annotated[int, Field(ge=0, description="0 is the lowest")]
    text: TextFacts
    tokens: Annotated[list[TokenSeen], Field(description="each given all before it")]
    gates: Annotated[GateOpenings | None, Field(description="null where the cell is no lstm")]
    hidden: Annotated[str, Field(description="base64 of T x H signed bytes: round(127 h)")]
    cell: Annotated[
        str | None,
        Field(
            description="base64 of T x H signed bytes: round(127 tanh(c)); null where there is none"
        ),
    ]


def inspect_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """Blueprint of `/v1/inspect`."""
    blueprint = Blueprint("inspect", __name__)

    @blueprint.post("/v1/inspect")
    def inspect() -> Response:
        body = InspectRequest.from_json(json_object(request))
        served = find_model(registry, body.model)
        layer = chosen_layer(body.layer, served.architecture)
        text = encoded_text(body.text, served, settings)
        job = start_scoring(
            jobs,
            served,
            text,
            id_prefix="inspect",
            alternatives=body.top,
            inspected_layer=layer,
        )
        scores = scores_of(job, jobs)
        inspection = job.requests[0].inspection
        assert inspection is not None  # noqa: S101 - it comes with the scores
        facts = text_facts(served, text)
        answer = answer_without_tokens(job.job_id, served, layer, facts, inspection)
        parts = json_object_parts(answer, tokens=map(token_seen, scores))
        return Response("".join(parts), content_type="application/json")

    return blueprint


def chosen_layer(wanted: int | None, architecture: ModelConfig) -> int:
    """Index of the layer to look into, by default the top one. Raises ParameterError."""
    top = architecture.num_layers - 1
    if wanted is not None and wanted > top:
        raise ParameterError("layer", f"must be 0 to {top} for this model, got {wanted}")
    return top if wanted is None else wanted


def encoded_text(text: str, served: ServedModel, settings: Settings) -> EncodedPrompt:
    """Encode a text of no more characters and tokens than may be. Raises ApiError."""
    longest = settings.longest_inspected
    setting = "max_inspect" if longest == settings.max_inspect else "max_prompt"
    require_fits(len(text), longest, setting, "text")
    prompt = served.runner.tokenizer.encode_prompt(text)
    # Of one character there may be several tokens.
    require_fits(len(prompt.ids) - 1, longest, setting, "text", "tokens")
    return prompt


def answer_without_tokens(
    job_id: str, served: ServedModel, layer: int, text: TextFacts, inspection: LayerInspection
) -> InspectAnswer:
    """Answer of `/v1/inspect` but for its tokens."""
    architecture = served.architecture
    return {
        "id": job_id,
        "model": served.name,
        "num_layers": architecture.num_layers,
        "hidden_size": architecture.hidden_size,
        "layer": layer,
        "text": text,
        "tokens": [],
        "gates": gate_openings(inspection),
        "hidden": in_base64(inspection.hidden),
        "cell": None if inspection.cell is None else in_base64(inspection.cell),
    }


def token_seen(entry: TokenLogprob) -> TokenSeen:
    """Surprisal and probability of one token, and the likeliest ones in its place."""
    return {
        "token": entry.token,
        "surprisal": round(max(0.0, -entry.logprob / math.log(2)), SURPRISAL_DECIMALS),
        "probability": probability(entry.logprob),
        "top": [{"token": token, "probability": probability(value)} for token, value in entry.top],
    }


def probability(logprob: float) -> float:
    """Probability of a log probability in nats, rounded to `PROBABILITY_DIGITS`."""
    return float(f"{math.exp(min(0.0, logprob)):.{PROBABILITY_DIGITS}g}")


def gate_openings(inspection: LayerInspection) -> GateOpenings | None:
    """Mean opening of each gate at each token, rounded; None for a cell without such gates."""
    by_gate = inspection.openings
    if by_gate is None:
        return None
    return {
        "forget": rounded(by_gate["forget"]),
        "input": rounded(by_gate["input"]),
        "output": rounded(by_gate["output"]),
    }


def rounded(openings: Sequence[float]) -> list[float]:
    """Openings of one gate, rounded to `OPENING_DECIMALS`."""
    return [round(value, OPENING_DECIMALS) for value in openings]


def in_base64(content: bytes) -> str:
    """Base64 of bytes, which JSON can hold."""
    return b64encode(content).decode("ascii")
