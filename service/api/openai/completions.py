"""`POST /v1/completions`: what OpenAI's clients send, answered as they expect."""

import re

from flask import Blueprint, Response, request

from model.errors import ParameterError
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, UNK_ID, EncodedPrompt, Tokenizer
from service.api.client_connection import Client
from service.api.jobs import Jobs
from service.api.openai import responses as completions
from service.api.openai.completions_body import CompletionRequest, Prompt
from service.api.openai.responses import Completion
from service.api.request_body import json_object
from service.api.submission import (
    engine_requests,
    find_model,
    require_can_be_held,
    require_within_limits,
    within_cap,
)
from service.models.registry import Registry
from service.observability.http_exchange import attach_job
from service.request_ids import new_id
from service.settings import Settings

# Ignored fields go into a header, which has no room for whatever a client may send.
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
MAX_TOLD = 16


def completions_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """The route and what it needs."""
    blueprint = Blueprint("completions", __name__)

    @blueprint.post("/v1/completions")
    def complete() -> Response:
        wanted, ignored = CompletionRequest.from_json(json_object(request))
        completion = begin(wanted, ignored, settings, jobs, registry)
        try:
            return (
                completions.chunks(completion) if wanted.stream else completions.whole(completion)
            )
        except BaseException:
            jobs.end(completion.job)
            raise

    return blueprint


def begin(
    wanted: CompletionRequest,
    ignored: list[str],
    settings: Settings,
    jobs: Jobs,
    registry: Registry,
) -> Completion:
    """The job under way. Raises what says why it cannot be."""
    served = find_model(registry, wanted.model)
    params = allowed(wanted, settings)
    tokenizer = served.runner.tokenizer
    prompts = [encoded(prompt, tokenizer) for prompt in wanted.prompt]
    job_id = new_id("cmpl")
    requests = engine_requests(
        job_id,
        served,
        prompts,
        params,
        num_texts=wanted.num_written,
        bias=biases(wanted, tokenizer),
        prompt_logprobs=wanted.logprobs if wanted.echo else None,
    )
    job = jobs.begin(job_id, requests, Client(request.environ))
    attach_job(request.environ, job)
    return Completion(
        job=job,
        jobs=jobs,
        tokenizer=tokenizer,
        wanted=wanted,
        fingerprint=served.fingerprint,
        echoes=[shown(prompt, tokenizer) for prompt in wanted.prompt],
        ignored=[name for name in ignored if FIELD_NAME.fullmatch(name)][:MAX_TOLD],
    )


def allowed(wanted: CompletionRequest, settings: Settings) -> SamplingParams:
    """How to write it, within what the settings allow. Raises ApiError or ParameterError."""
    require_within_limits(
        settings,
        wanted,
        prompt_length=sum(len(prompt) for prompt in wanted.prompt),
        num_texts=wanted.num_written,
        num_prompts=len(wanted.prompt),
    )
    params = within_cap(sampling(wanted), settings)
    if not wanted.stream:
        require_can_be_held(params, len(wanted.prompt) * wanted.num_written)
    return params


def encoded(prompt: Prompt, tokenizer: Tokenizer) -> EncodedPrompt:
    """A prompt as the engine wants it."""
    if isinstance(prompt, str):
        return tokenizer.encode_prompt(prompt)
    return tokenizer.prompt_of_ids(prompt)


def shown(prompt: Prompt, tokenizer: Tokenizer) -> str:
    """A prompt as text."""
    return prompt if isinstance(prompt, str) else tokenizer.decode(prompt)


def sampling(wanted: CompletionRequest) -> SamplingParams:
    """The part that decoding knows, with a seed and what choosing the best needs."""
    fields = {name: getattr(wanted, name) for name in SamplingParams.model_fields}
    fields["logit_bias"] = {}  # by id, see `biases`
    if wanted.has_choice and wanted.logprobs is None:
        fields["logprobs"] = 0
    return SamplingParams.model_construct(**fields).with_seed()


def biases(wanted: CompletionRequest, tokenizer: Tokenizer) -> dict[int, float]:
    """What to add to the logits, by id. Raises ParameterError for what is never written."""
    by_id = {int(name): value for name, value in wanted.logit_bias.items()}
    for token_id in by_id:
        if token_id >= tokenizer.vocab_size or token_id == UNK_ID:
            known = f"{BOS_ID} to {tokenizer.vocab_size - 1}"
            raise ParameterError(
                "logit_bias", f"{token_id} is no token that is written here: {known}"
            )
    return by_id
