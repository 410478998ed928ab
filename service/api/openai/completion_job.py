"""Completion job: what a body by OpenAI's contract asks for, started, and the facts told of it.

Shared by completions and chat completions; knows nothing of the shape of their answers.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flask import Response

from model.copies.copy_index import CopyIndex
from model.errors import ParameterError
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, UNK_ID, Tokenizer
from service.api.copy_reports import copy_index_for
from service.api.jobs import Job, Jobs
from service.api.openai.openai_request import OpenAiRequest
from service.api.openai.prompts import encoded
from service.api.prompt_length import require_prompt_fits
from service.api.request_body import ignored_fields_header
from service.api.response_models import Usage, usage_of
from service.api.resuming import Received, Resumable, received_by_client
from service.api.streaming import job_headers
from service.api.submission import (
    find_model,
    require_can_go_on,
    sampling_within_limits,
    start_job,
)
from service.models.registry import Registry
from service.models.served_model import ServedModel
from service.settings import Settings

R = TypeVar("R", bound=OpenAiRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion(Generic[R]):
    """Texts that complete one or more prompts: a job under way, and what was asked of it."""

    job: Job
    jobs: Jobs
    tokenizer: Tokenizer
    body: R
    ignored: Sequence[str]  # names of fields that were left aside
    received: Received  # what the client has of each text, the echo included
    copy_index: CopyIndex | None = None  # where the texts' copies are to be told
    created: int = field(default_factory=lambda: int(time.time()))

    @property
    def usage(self) -> Usage:
        """Tokens read and generated so far."""
        return usage_of(self.job.num_prompt_tokens, self.job.num_tokens)

    def add_headers(self, response: Response) -> None:
        """Add the job's headers, and one that names the fields that were left aside."""
        response.headers.update(job_headers(self.job))
        response.headers.update(ignored_fields_header(self.ignored))


def start_completion(
    body: R,
    ignored: Sequence[str],
    settings: Settings,
    jobs: Jobs,
    registry: Registry,
    *,
    id_prefix: str,
) -> Completion[R]:
    """Start the job that a body asks for. Raises what says why it cannot be started."""
    served = find_model(registry, body.model)
    tokenizer = served.runner.tokenizer
    length = sum(len(prompt) for prompt in body.prompts)
    require_prompt_fits(settings, served, length, body.prompt_field)
    received, seed = _received(body, served)
    params = sampling_params(body, settings, seed)
    copy_index = copy_index_for(served, is_asked=body.wants_copies)
    behind = _behind_openings(body, received, tokenizer)
    if any(behind):
        require_can_go_on(settings, len(behind))
    job = start_job(
        jobs,
        served,
        [encoded(prompt, tokenizer) for prompt in body.prompts],
        params,
        id_prefix=id_prefix,
        num_texts=body.num_written,
        bias=biases(body, tokenizer),
        # Of a prompt that was given back and received nothing more is told.
        prompt_logprobs=None if behind and all(behind) else body.prompt_alternatives,
        received=behind,
    )
    return Completion(
        job=job,
        jobs=jobs,
        tokenizer=tokenizer,
        body=body,
        ignored=ignored,
        received=received,
        copy_index=copy_index,
    )


def _received(body: OpenAiRequest, served: ServedModel) -> tuple[Received, int | None]:
    """Received part of each text, nothing on a route that goes on with none, and their seed."""
    if isinstance(body, Resumable):
        return received_by_client(body, served, body.seed, body.num_texts)
    return Received.nothing(body.num_texts), body.seed


def _behind_openings(
    body: OpenAiRequest, received: Received, tokenizer: Tokenizer
) -> list[Received | None]:
    """Received part of each text itself, behind the prompt where that is given back."""
    openings = [body.opening_of(each, tokenizer) for each in body.prompts]
    return [
        received.behind(openings[index // body.num_written], index)
        for index in range(len(received.lengths))
    ]


def sampling_params(body: OpenAiRequest, settings: Settings, seed: int | None) -> SamplingParams:
    """Sampling fields of a body within the settings. Raises ParameterError."""
    return sampling_within_limits(
        settings,
        body.model_copy(update={"seed": seed}),
        num_texts=body.num_written,
        num_prompts=len(body.prompts),
        is_streamed=body.stream,
        length_field=body.length_field,
        logit_bias={},  # by id, see `biases`
        logprobs=body.computed_alternatives,
    )


def biases(body: OpenAiRequest, tokenizer: Tokenizer) -> dict[int, float]:
    """Logit biases of a body by token id. Raises ParameterError for a token never generated."""
    by_id = {int(name): value for name, value in body.logit_bias.items()}
    for token_id in by_id:
        if token_id >= tokenizer.vocab_size or token_id == UNK_ID:
            known = f"{BOS_ID} to {tokenizer.vocab_size - 1}"
            raise ParameterError(
                "logit_bias", f"{token_id} is no token that is written here: {known}"
            )
    return by_id
