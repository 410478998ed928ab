"""`POST /v1/chat/completions`: the last message of the user goes in, text comes out.

Completions in the shape of a chat, for clients that speak no other.
"""

from flask import Blueprint, Response, request

from service.access.text_counts import counted_as
from service.api.jobs import Jobs
from service.api.openai.chat_body import ChatRequest
from service.api.openai.chat_responses import chat_chunk_response, chat_json_response
from service.api.openai.completion_job import start_completion
from service.api.request_body import json_object, peeked_object
from service.models.registry import Registry
from service.settings import Settings


def chat_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """Blueprint of `/v1/chat/completions`."""
    blueprint = Blueprint("chat", __name__)

    @blueprint.post("/v1/chat/completions")
    @counted_as(lambda: ChatRequest.from_json(peeked_object(request))[0].num_texts)
    def chat() -> Response:
        body, ignored = ChatRequest.from_json(json_object(request))
        completion = start_completion(body, ignored, settings, jobs, registry, id_prefix="chatcmpl")
        try:
            if body.stream:
                return chat_chunk_response(completion)
            return chat_json_response(completion)
        except BaseException:
            jobs.end(completion.job)
            raise

    return blueprint
