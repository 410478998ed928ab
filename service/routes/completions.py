"""`POST /v1/completions`: what OpenAI's clients send, answered as they expect."""

from flask import Blueprint, Response, g, request

from model.errors import ParameterError
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, UNK_ID, EncodedPrompt, Tokenizer
from service import completions
from service.body import json_object
from service.client import Client
from service.completions import Completion
from service.intake import engine_requests, find_model, require_within_limits, within_cap
from service.jobs import Jobs, new_id
from service.registry import Registry
from service.schemas.completions import CompletionRequest, Prompt
from service.settings import Settings


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
    require_within_limits(
        settings,
        wanted,
        prompt_length=sum(len(prompt) for prompt in wanted.prompt),
        num_texts=wanted.num_written,
    )
    tokenizer = served.runner.tokenizer
    params = within_cap(sampling(wanted, tokenizer), settings)
    prompts = [encoded(prompt, tokenizer) for prompt in wanted.prompt]
    job_id = new_id("cmpl")
    requests = engine_requests(
        job_id,
        served,
        prompts,
        params,
        num_texts=wanted.num_written,
        prompt_logprobs=wanted.logprobs if wanted.echo else None,
    )
    g.job = jobs.begin(job_id, requests, Client(request.environ))  # for the request's log line
    return Completion(
        job=g.job,
        jobs=jobs,
        wanted=wanted,
        model=served.name,
        fingerprint=served.fingerprint,
        seed=params.seed if params.seed is not None else 0,
        echoes=[shown(prompt, tokenizer) for prompt in wanted.prompt],
        ignored=[name for name in ignored if name.isascii() and name.isidentifier()],
    )


def encoded(prompt: Prompt, tokenizer: Tokenizer) -> EncodedPrompt:
    """A prompt as the engine wants it."""
    if isinstance(prompt, str):
        return tokenizer.encode_prompt(prompt)
    return tokenizer.prompt_of_ids(prompt)


def shown(prompt: Prompt, tokenizer: Tokenizer) -> str:
    """A prompt as text."""
    return prompt if isinstance(prompt, str) else tokenizer.decode(prompt)


def sampling(wanted: CompletionRequest, tokenizer: Tokenizer) -> SamplingParams:
    """The part that decoding knows, with a seed and what choosing the best needs."""
    fields = {name: getattr(wanted, name) for name in SamplingParams.model_fields}
    fields["logit_bias"] = {
        biased_token(name, tokenizer): value for name, value in wanted.logit_bias.items()
    }
    if wanted.has_choice and wanted.logprobs is None:
        fields["logprobs"] = 0
    return SamplingParams.model_construct(**fields).with_seed()


def biased_token(name: str, tokenizer: Tokenizer) -> str:
    """The text of the token with this id. Raises ParameterError."""
    token_id = int(name)
    if token_id >= tokenizer.vocab_size or token_id == UNK_ID:
        known = f"{BOS_ID} to {tokenizer.vocab_size - 1}"
        raise ParameterError("logit_bias", f"{name} is no token that is written here: {known}")
    return tokenizer.token_text(token_id)
