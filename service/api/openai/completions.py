"""`POST /v1/completions`: what OpenAI's clients send, answered as they expect."""

import re

from flask import Blueprint, Response, request

from model.errors import ParameterError
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, UNK_ID, Tokenizer
from service.api.jobs import Jobs
from service.api.openai.completions_body import CompletionRequest
from service.api.openai.prompts import echo_of, encoded
from service.api.openai.responses import Completion, chunk_response, json_response
from service.api.request_body import json_object
from service.api.submission import find_model, sampling_within_limits, start_job
from service.models.registry import Registry
from service.settings import Settings

# Ignored fields go into a header, which has no room for whatever a client may send.
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
MAX_IGNORED_NAMES = 16


def completions_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """Blueprint of `/v1/completions`."""
    blueprint = Blueprint("completions", __name__)

    @blueprint.post("/v1/completions")
    def complete() -> Response:
        body, ignored = CompletionRequest.from_json(json_object(request))
        completion = start_completion(body, ignored, settings, jobs, registry)
        try:
            return chunk_response(completion) if body.stream else json_response(completion)
        except BaseException:
            jobs.end(completion.job)
            raise

    return blueprint


def start_completion(
    body: CompletionRequest,
    ignored: list[str],
    settings: Settings,
    jobs: Jobs,
    registry: Registry,
) -> Completion:
    """Start the job that a body asks for. Raises what says why it cannot be started."""
    served = find_model(registry, body.model)
    params = sampling_params(body, settings)
    tokenizer = served.runner.tokenizer
    job = start_job(
        jobs,
        served,
        [encoded(prompt, tokenizer) for prompt in body.prompt],
        params,
        id_prefix="cmpl",
        num_texts=body.num_written,
        bias=biases(body, tokenizer),
        prompt_logprobs=body.logprobs if body.echo else None,
    )
    return Completion(
        job=job,
        jobs=jobs,
        tokenizer=tokenizer,
        body=body,
        echoes=[
            echo_of(prompt, tokenizer, with_offsets=body.logprobs is not None)
            for prompt in (body.prompt if body.echo else ())
        ],
        ignored=[name for name in ignored if FIELD_NAME.fullmatch(name)][:MAX_IGNORED_NAMES],
    )


def sampling_params(body: CompletionRequest, settings: Settings) -> SamplingParams:
    """Sampling fields of a body, with what choosing the best needs, within the settings.

    Raises ApiError or ParameterError.
    """
    needs_logprobs = body.has_choice and body.logprobs is None
    return sampling_within_limits(
        settings,
        body,
        prompt_length=sum(len(prompt) for prompt in body.prompt),
        num_texts=body.num_written,
        num_prompts=len(body.prompt),
        is_streamed=body.stream,
        logit_bias={},  # by id, see `biases`
        logprobs=0 if needs_logprobs else body.logprobs,
    )


def biases(body: CompletionRequest, tokenizer: Tokenizer) -> dict[int, float]:
    """Logit biases of a body by token id. Raises ParameterError for a token never generated."""
    by_id = {int(name): value for name, value in body.logit_bias.items()}
    for token_id in by_id:
        if token_id >= tokenizer.vocab_size or token_id == UNK_ID:
            known = f"{BOS_ID} to {tokenizer.vocab_size - 1}"
            raise ParameterError(
                "logit_bias", f"{token_id} is no token that is written here: {known}"
            )
    return by_id
