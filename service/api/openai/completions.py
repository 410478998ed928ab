"""`POST /v1/completions`: what OpenAI's clients send, answered as they expect."""

from flask import Blueprint, Response, request

from service.access.text_counts import counted_as
from service.api.jobs import Jobs
from service.api.openai.completion_job import start_completion
from service.api.openai.completions_body import CompletionRequest
from service.api.openai.completions_responses import chunk_response, json_response
from service.api.request_body import json_object, peeked_object
from service.models.registry import Registry
from service.settings import Settings


def completions_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """Blueprint of `/v1/completions`."""
    blueprint = Blueprint("completions", __name__)

    @blueprint.post("/v1/completions")
    @counted_as(lambda: CompletionRequest.from_json(peeked_object(request))[0].num_texts)
    def complete() -> Response:
        body, ignored = CompletionRequest.from_json(json_object(request))
        completion = start_completion(body, ignored, settings, jobs, registry, id_prefix="cmpl")
        try:
            return chunk_response(completion) if body.stream else json_response(completion)
        except BaseException:
            jobs.end(completion.job)
            raise

    return blueprint
