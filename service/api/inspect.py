"""`POST /v1/inspect`: what one layer of a network does while it reads a text.

The numbers are for pictures and are rounded, so that the answer is bounded by its text's length.
"""

import math
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from model.config import ModelConfig
from model.decoding.generation import TokenLogprob
from model.decoding.prompt_scores import PromptScores
from model.errors import ParameterError
from model.inspection import Inspection
from model.tokenizer import EncodedPrompt
from service.api.inspect_body import InspectRequest
from service.api.jobs import Jobs
from service.api.json_text import json_text
from service.api.prompt_scoring import begin, listed, scores_of, text_facts
from service.api.request_body import json_object
from service.api.submission import find_model, prompt_too_long
from service.models.registry import Registry, ServedModel
from service.request_ids import new_id
from service.settings import Settings

SURPRISAL_DECIMALS = 6
OPENING_DECIMALS = 5
PROBABILITY_DIGITS = 6  # that count, however small it is


def inspect_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """The route and what it needs."""
    blueprint = Blueprint("inspect", __name__)
    longest = settings.longest_inspected

    @blueprint.post("/v1/inspect")
    def inspect() -> Response:
        wanted = InspectRequest.from_json(json_object(request))
        served = find_model(registry, wanted.model)
        layer = chosen_layer(wanted.layer, served.architecture)
        text = encoded_text(wanted.text, served, longest)
        job_id = new_id("inspect")
        job = begin(job_id, served, text, jobs, alternatives=wanted.top, inspected_layer=layer)
        scores = scores_of(job, jobs)
        inspection = job.requests[0].inspection
        assert inspection is not None  # noqa: S101 - it comes with the scores
        facts = {"id": job_id, **describe(served, layer), "text": text_facts(served, text)}
        body = "".join(parts(facts, scores, inspection))
        return Response(body, content_type="application/json")

    return blueprint


def chosen_layer(wanted: int | None, architecture: ModelConfig) -> int:
    """The layer to look into. Raises ParameterError where this model has none of that number."""
    top = architecture.num_layers - 1
    if wanted is not None and wanted > top:
        raise ParameterError("layer", f"must be 0 to {top} for this model, got {wanted}")
    return top if wanted is None else wanted


def encoded_text(text: str, served: ServedModel, longest: int) -> EncodedPrompt:
    """The text as it is read. Raises ApiError where there is too much of it."""
    if len(text) > longest:
        raise prompt_too_long(len(text), longest, "text")
    prompt = served.runner.tokenizer.encode_prompt(text)
    if (tokens := len(prompt.ids) - 1) > longest:  # of one character there may be several
        raise prompt_too_long(tokens, longest, "text", "tokens")
    return prompt


def describe(served: ServedModel, layer: int) -> dict[str, Any]:
    """What was looked into."""
    architecture = served.architecture
    return {
        "model": served.name,
        "num_layers": architecture.num_layers,
        "hidden_size": architecture.hidden_size,
        "layer": layer,
    }


def parts(facts: dict[str, Any], scores: PromptScores, inspection: Inspection) -> Iterator[str]:
    """The answer, bit by bit."""
    yield f'{json_text(facts)[:-1]},"tokens":'
    yield from listed(map(token_json, scores))
    yield f',"gates":{json_text(openings(inspection))}'
    yield f',"hidden":{json_text(in_base64(inspection.hidden))}'
    yield f',"cell":{json_text(in_base64(inspection.cell))}}}\n'


def token_json(entry: TokenLogprob) -> dict[str, Any]:
    """How likely one token was, and which were the likeliest."""
    return {
        "token": entry.token,
        "surprisal": round(max(0.0, -entry.logprob / math.log(2)), SURPRISAL_DECIMALS),
        "probability": probability(entry.logprob),
        "top": [{"token": token, "probability": probability(value)} for token, value in entry.top],
    }


def probability(logprob: float) -> float:
    """Of its logarithm, to the digits that are told."""
    return float(f"{math.exp(min(0.0, logprob)):.{PROBABILITY_DIGITS}g}")


def openings(inspection: Inspection) -> dict[str, list[float]] | None:
    """The mean opening of each gate at each place."""
    by_gate = inspection.openings
    if by_gate is None:
        return None
    return {
        name: [round(value, OPENING_DECIMALS) for value in values]
        for name, values in by_gate.items()
    }


def in_base64(content: bytes | None) -> str | None:
    """Bytes as JSON can hold them."""
    return None if content is None else b64encode(content).decode("ascii")
