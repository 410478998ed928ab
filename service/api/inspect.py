"""`POST /v1/inspect`: what one layer of a network does while it reads a text.

The route and its body; `Accept` chooses whether the answer comes in parts.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Self

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, field_validator

from model.config import ModelConfig
from model.errors import ParameterError
from model.layer_inspection import InspectedLayer
from model.parameters import MAX_LOGPROBS
from model.tokenizer import EncodedPrompt
from service.api.content_negotiation import EVENTS, JSON, accepted_content_type
from service.api.inspect_responses import Looking, event_response, json_response
from service.api.jobs import Jobs
from service.api.prompt_length import require_fits
from service.api.prompt_scoring import start_scoring
from service.api.request_body import json_object, validated, whole_characters
from service.api.submission import find_model
from service.models.registry import Registry
from service.models.served_model import ServedModel
from service.settings import Settings

MAX_UNITS = 16
RESPONSES: dict[str, Callable[[Looking], Response]] = {
    JSON: json_response,
    EVENTS: event_response,
}


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
    units: list[Annotated[int, Field(ge=0)]] = Field(
        [],
        max_length=MAX_UNITS,
        description="give every number of these units of the layer, counted from 0",
    )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Request from a JSON object. Raises ParameterError, which names the field."""
        return validated(cls, content)

    _whole_characters = field_validator("text")(whole_characters)

    @field_validator("units")
    @classmethod
    def _different(cls, units: list[int]) -> list[int]:
        if len(set(units)) < len(units):
            raise ValueError("must name each unit once")
        return units


def inspect_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """Blueprint of `/v1/inspect`."""
    blueprint = Blueprint("inspect", __name__)

    @blueprint.post("/v1/inspect")
    def inspect() -> Response:
        content_type = accepted_content_type((JSON, EVENTS))
        body = InspectRequest.from_json(json_object(request))
        looking = start_looking(body, settings, jobs, registry)
        try:
            return RESPONSES[content_type](looking)
        except BaseException:
            jobs.end(looking.job)
            raise

    return blueprint


def start_looking(
    body: InspectRequest, settings: Settings, jobs: Jobs, registry: Registry
) -> Looking:
    """Start the reading that a body asks for. Raises what says why it cannot be started."""
    served = find_model(registry, body.model)
    layer = chosen_layer(body.layer, served.architecture)
    require_units(body.units, served.architecture)
    text = encoded_text(body.text, served, settings)
    job = start_scoring(
        jobs,
        served,
        text,
        id_prefix="inspect",
        alternatives=body.top,
        inspected_layer=InspectedLayer(layer, tuple(body.units)),
    )
    return Looking(job=job, jobs=jobs, served=served, text=text, layer=layer, units=body.units)


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


def require_units(units: Sequence[int], architecture: ModelConfig) -> None:
    """Check that the network has these units, and gates in them. Raises ParameterError."""
    if units and architecture.cell != "lstm":
        raise ParameterError(
            "units", f"must be empty for this model: it is no lstm but {architecture.cell}"
        )
    if units and max(units) >= architecture.hidden_size:
        last = architecture.hidden_size - 1
        raise ParameterError("units", f"must be 0 to {last} for this model, got {max(units)}")
