"""`POST /v1/generate`: a prompt goes in, text comes out, in the form that Accept asks for.

`POST /v1/generate/<id>/cancel` ends it from elsewhere.
"""

from collections.abc import Callable

from flask import Blueprint, Response, jsonify, request

from model.errors import ParameterError
from service.access.route_flags import uncounted
from service.api import generate_responses as answers
from service.api.client_connection import Client
from service.api.generate_body import GenerateRequest
from service.api.generate_responses import Answer
from service.api.jobs import Jobs
from service.api.request_body import json_object
from service.api.submission import (
    engine_requests,
    find_model,
    require_can_be_held,
    require_within_limits,
    within_cap,
)
from service.errors import bad_request
from service.models.registry import Registry
from service.observability.http_exchange import attach_job
from service.request_ids import new_id
from service.settings import Settings

# The first is the default, and what */* gets.
FORMS: dict[str, Callable[[Answer], Response]] = {
    "text/plain": answers.plain_text,
    "text/event-stream": answers.events,
    "application/json": answers.whole,
}


def generate_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """The two routes and what they need."""
    blueprint = Blueprint("generate", __name__)

    @blueprint.post("/v1/generate")
    def generate() -> Response:
        form = chosen_form()
        wanted = GenerateRequest.from_json(json_object(request))
        require_form_fits(wanted, form)
        answer = begin(wanted, form, settings, jobs, registry)
        try:
            return FORMS[form](answer)
        except BaseException:
            jobs.end(answer.job)
            raise

    @blueprint.post("/v1/generate/<job_id>/cancel")
    @uncounted
    def cancel(job_id: str) -> Response:
        if not jobs.cancel(job_id):
            raise bad_request(
                "no generation of this id is under way", param="id", code="not_found", status=404
            )
        return jsonify(id=job_id, status="cancelled")

    return blueprint


def chosen_form() -> str:
    """The content type to answer with."""
    if not request.accept_mimetypes:
        return next(iter(FORMS))
    form = request.accept_mimetypes.best_match(FORMS)
    if form is None:
        raise bad_request(
            f"the answer can be one of {', '.join(FORMS)}", status=406, code="not_acceptable"
        )
    return form


def require_form_fits(wanted: GenerateRequest, form: str) -> None:
    """Plain text has no place for a second text, nor for numbers."""
    if form != "text/plain":
        return
    for field, is_asked in (("n", wanted.n > 1), ("logprobs", wanted.logprobs is not None)):
        if is_asked:
            raise ParameterError(
                field, "needs Accept: text/event-stream or application/json, not text/plain"
            )


def begin(
    wanted: GenerateRequest, form: str, settings: Settings, jobs: Jobs, registry: Registry
) -> Answer:
    """The job under way. Raises what says why it cannot be."""
    served = find_model(registry, wanted.model)
    require_within_limits(settings, wanted, prompt_length=len(wanted.prompt), num_texts=wanted.n)
    params = within_cap(wanted.sampling(), settings)
    if form == "application/json":
        require_can_be_held(params, wanted.n)
    prompt = served.runner.tokenizer.encode_prompt(wanted.prompt)
    job_id = new_id("gen")
    requests = engine_requests(job_id, served, [prompt], params, num_texts=wanted.n)
    job = jobs.begin(job_id, requests, Client(request.environ))
    attach_job(request.environ, job)
    return Answer(
        job=job,
        jobs=jobs,
        echo=wanted.prompt if wanted.echo else "",
    )
