"""`POST /v1/generate`: a prompt goes in, text comes out, as the content type that Accept asks for.

The route and its body; `POST /v1/generate/<id>/cancel` ends it from elsewhere. The sampling fields
of the body are those of `model.parameters.SamplingParams`, which gives them bounds and meaning.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from flask import Blueprint, Response, jsonify, request
from pydantic import Field, field_validator
from typing_extensions import TypedDict

from model.errors import ParameterError
from model.parameters import SamplingParams
from service.access.route_flags import uncounted
from service.access.text_counts import counted_as
from service.api.content_negotiation import EVENTS, JSON, PLAIN, accepted_content_type
from service.api.copy_reports import ASKED, copy_index_for
from service.api.generate_responses import (
    Continuation,
    event_response,
    json_response,
    plain_text_response,
)
from service.api.jobs import Jobs
from service.api.prompt_length import require_prompt_fits
from service.api.request_body import (
    MAX_CHOICES,
    Stops,
    given,
    json_object,
    one_or_many,
    peeked_object,
    require_known_fields,
    whole_characters,
)
from service.api.response_models import closed
from service.api.resuming import Resumable, received_by_client
from service.api.submission import find_model, sampling_within_limits, start_job
from service.error_answers import ApiError, ErrorBody, bad_request
from service.models.registry import Registry
from service.request_ids import replica_of
from service.settings import Settings

RESPONSES: dict[str, Callable[[Continuation], Response]] = {
    PLAIN: plain_text_response,
    EVENTS: event_response,
    JSON: json_response,
}


class GenerateRequest(Resumable, SamplingParams):
    """One request: the prompt, the model, and how to go on from there."""

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )
    prompt: str = Field("", description="the text to continue; empty begins a new one")
    n: int = Field(
        1, ge=1, le=MAX_CHOICES, description="how many texts to write; text i has seed + i"
    )
    echo: bool = Field(False, description="give the prompt back in front of the text")
    copies: bool = Field(False, description=ASKED)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Request from a JSON object. Raises ParameterError, which names the field."""
        require_known_fields(content, cls)
        return cls.checked(**given(content))

    _one_stop = field_validator("stop", mode="before", json_schema_input_type=Stops)(one_or_many)
    _whole_characters = field_validator("prompt")(whole_characters)


@closed
class Cancelled(TypedDict):
    """A generation that was ended by its id."""

    id: str
    status: Literal["cancelled"]


def generate_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """Blueprint of `/v1/generate` and of the cancellation of what it started."""
    blueprint = Blueprint("generate", __name__)

    @blueprint.post("/v1/generate")
    @counted_as(lambda: GenerateRequest.from_json(peeked_object(request)).n)
    def generate() -> Response:
        content_type = accepted_content_type()
        body = GenerateRequest.from_json(json_object(request))
        require_fits(body, content_type)
        is_streamed = content_type != JSON
        continuation = start_continuation(body, settings, jobs, registry, is_streamed=is_streamed)
        try:
            return RESPONSES[content_type](continuation)
        except BaseException:
            jobs.end(continuation.job)
            raise

    @blueprint.post("/v1/generate/<job_id>/cancel")
    @uncounted
    def cancel(job_id: str) -> Response:
        if not jobs.cancel(job_id):
            raise not_under_way(job_id, jobs.replica)
        answer: Cancelled = {"id": job_id, "status": "cancelled"}
        return jsonify(answer)

    return blueprint


def not_under_way(job_id: str, replica: str | None) -> ApiError:
    """404, or 421 with the name of the replica that the id is of, where that is not `replica`."""
    owner = replica_of(job_id)
    if owner is None or owner == replica:
        message, status, code = "no generation of this id is under way", 404, "not_found"
        return bad_request(message, param="id", code=code, status=status)
    message = f"a generation of this id is the replica {owner}'s to cancel, which this is not"
    body = ErrorBody(message=message, param="id", code="misdirected_request")
    return ApiError(421, body, headers={"X-Strophe-Replica": owner})


def require_fits(body: GenerateRequest, content_type: str) -> None:
    """Refuse, as plain text, what that has no place for. Raises ParameterError."""
    if content_type != PLAIN:
        return
    asked = {"n": body.n > 1, "logprobs": body.logprobs is not None, "copies": body.copies}
    for field, is_asked in asked.items():
        if is_asked:
            raise ParameterError(
                field, "needs Accept: text/event-stream or application/json, not text/plain"
            )


def start_continuation(
    body: GenerateRequest,
    settings: Settings,
    jobs: Jobs,
    registry: Registry,
    *,
    is_streamed: bool,
) -> Continuation:
    """Start the job that a body asks for. Raises what says why it cannot be started."""
    served = find_model(registry, body.model)
    tokenizer = served.runner.tokenizer
    received, seed = received_by_client(body, served, body.seed, body.n)
    require_prompt_fits(settings, served, len(body.prompt))
    params = sampling_within_limits(
        settings,
        body.model_copy(update={"seed": seed}),
        num_texts=body.n,
        is_streamed=is_streamed,
    )
    copy_index = copy_index_for(served, is_asked=body.copies)
    prompt = tokenizer.encode_prompt(body.prompt)
    echo = body.prompt if body.echo else ""
    behind = [received.behind(echo, index) for index in range(body.n)]
    job = start_job(
        jobs, served, [prompt], params, id_prefix="gen", num_texts=body.n, received=behind
    )
    return Continuation(
        job=job,
        jobs=jobs,
        tokenizer=tokenizer,
        echo=echo,
        received=received,
        copy_index=copy_index,
    )
