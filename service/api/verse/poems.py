"""`POST /v1/poems`: a form goes in, a poem that keeps it comes out, line by line.

The route and its body. The fields are those of `verse.poem_request.PoemRequest`, which gives them
bounds and meaning; `Accept` chooses the form of the answer as on `/v1/generate`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Self

from flask import Blueprint, Response, request
from pydantic import Field

from service.api.content_negotiation import EVENTS, JSON, PLAIN, accepted_content_type
from service.api.jobs import Jobs
from service.api.prompt_length import require_prompt_fits
from service.api.request_body import json_object, require_whole_characters, validated
from service.api.resuming import Resumable, received_by_client
from service.api.submission import find_model, start_composition
from service.api.verse.poem_responses import (
    Writing,
    event_response,
    json_response,
    plain_text_response,
)
from service.api.verse.voices import voice_of_model
from service.engine.composition import Composition
from service.models.registry import Registry
from service.settings import Settings
from verse.composer.feasibility import require_possible
from verse.composer.poem_writing import compose
from verse.composing import drawn_seed
from verse.poem_request import PoemRequest

RESPONSES: dict[str, Callable[[Writing], Response]] = {
    PLAIN: plain_text_response,
    EVENTS: event_response,
    JSON: json_response,
}


class PoemBody(Resumable, PoemRequest):
    """A form, and what the poem is to say: everything but `form` or `spec` may be left out."""

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Request from a JSON object. Raises ParameterError, which names the field."""
        require_whole_characters(content)
        return validated(cls, content)


def poems_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """Blueprint of `/v1/poems`."""
    blueprint = Blueprint("poems", __name__)

    @blueprint.post("/v1/poems")
    def write_poem() -> Response:
        content_type = accepted_content_type()
        body = PoemBody.from_json(json_object(request))
        writing = start_writing(body, settings, jobs, registry)
        try:
            return RESPONSES[content_type](writing)
        except BaseException:
            jobs.end(writing.job)
            raise

    return blueprint


def start_writing(body: PoemBody, settings: Settings, jobs: Jobs, registry: Registry) -> Writing:
    """Start the poem that a body asks for. Raises what says why it cannot be started."""
    spec = body.poem_spec()
    served = find_model(registry, body.model)
    require_prompt_fits(settings, served, len(body.opening), "opening")
    received, seed = received_by_client(body, served, body.seed, 1)
    body = body.model_copy(update={"seed": seed})
    voice = voice_of_model(served, jobs)
    require_possible(voice, body)
    seed = drawn_seed(body)
    composition = Composition(compose(voice, body, seed), seed)
    prompt = served.runner.tokenizer.encode_prompt(body.text_before)
    job = start_composition(jobs, served, composition, prompt, id_prefix="poem")
    return Writing(
        job=job,
        jobs=jobs,
        composition=composition,
        seed=seed,
        request=body,
        spec=spec,
        received=received,
        copy_index=served.copy_index,
    )
