"""A given text is read by the engine and none is written after it: what such routes share.

Knows nothing of what each of them tells of it.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from flask import request

from model.decoding.prompt_scores import PromptScores
from model.parameters import SamplingParams
from model.tokenizer import EncodedPrompt
from service.api.client_connection import Client
from service.api.jobs import Job, Jobs
from service.api.json_text import json_text
from service.api.submission import engine_requests
from service.engine.failure import Failure, RequestFailedError
from service.models.registry import ServedModel
from service.observability.http_exchange import attach_job


def begin(
    job_id: str,
    served: ServedModel,
    text: EncodedPrompt,
    jobs: Jobs,
    *,
    alternatives: int,
    inspected_layer: int | None = None,
) -> Job:
    """The job under way: a prompt that is scored, and no text after it."""
    requests = engine_requests(
        job_id,
        served,
        [text],
        SamplingParams(),
        num_texts=0,
        prompt_logprobs=alternatives,
        inspected_layer=inspected_layer,
    )
    job = jobs.begin(job_id, requests, Client(request.environ))
    attach_job(request.environ, job)
    return job


def scores_of(job: Job, jobs: Jobs) -> PromptScores:
    """What the engine found, when it is done. Raises what says why there is nothing."""
    try:
        for _ in job.waves():
            pass
    finally:
        jobs.end(job)
    scores = job.requests[0].scored_prompt
    if scores is None:  # cancelled by its id: half a score is none
        raise RequestFailedError(Failure.CANCELLED)
    return scores


def text_facts(served: ServedModel, text: EncodedPrompt) -> dict[str, int]:
    """The text as it was read."""
    return {
        "characters": len(served.runner.tokenizer.decode(text.ids)),
        "folded": text.num_folded,
        "unknown": text.num_unknown,
    }


def listed(entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    """A JSON list, an entry at a time: as one object it would hold Python's lock for long."""
    yield "["
    for index, entry in enumerate(entries):
        yield ("," if index else "") + json_text(entry)
    yield "]"
