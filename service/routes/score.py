"""`POST /v1/score`: how surprising a given text is, as a whole and token by token."""

import json
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, g, request

from model.parameters import SamplingParams
from model.prompt_scores import PromptScores
from model.scoring import Score
from service.answers import logprob_json
from service.body import json_object
from service.client import Client
from service.engine.failure import Failure, RequestFailedError
from service.intake import engine_requests, find_model, prompt_too_long
from service.jobs import Job, Jobs, new_id
from service.registry import Registry, Served
from service.schemas.score import ScoreRequest
from service.settings import Settings


def score_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """The route and what it needs."""
    blueprint = Blueprint("score", __name__)

    @blueprint.post("/v1/score")
    def score() -> Response:
        wanted = ScoreRequest.from_json(json_object(request))
        served = find_model(registry, wanted.model)
        if len(wanted.text) > settings.max_prompt:
            raise prompt_too_long(len(wanted.text), settings.max_prompt, "text")
        job = begin(wanted, served, jobs)
        scores = scores_of(job, jobs)
        facts = {"id": job.job_id, "model": served.name, **measures(job, served, scores)}
        return Response("".join(parts(facts, scores)), content_type="application/json")

    return blueprint


def begin(wanted: ScoreRequest, served: Served, jobs: Jobs) -> Job:
    """The job under way: a prompt that is scored, and no text after it."""
    text = served.runner.tokenizer.encode_prompt(wanted.text)
    job_id = new_id("score")
    requests = engine_requests(
        job_id,
        served,
        [text],
        SamplingParams(),
        num_texts=0,
        prompt_logprobs=wanted.logprobs,
    )
    job = jobs.begin(job_id, requests, Client(request.environ))
    g.job = job  # for the request's log line
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


def measures(job: Job, served: Served, scores: PromptScores) -> dict[str, Any]:
    """The text as it was scored, and its surprisal in the units people compare."""
    prompt = job.requests[0].prompt
    characters = len(served.runner.tokenizer.decode(prompt.ids))
    score = Score(nats=scores.nats, characters=characters)
    return {
        "text": {
            "characters": characters,
            "folded": prompt.num_folded,
            "unknown": prompt.num_unknown,
        },
        "nats_per_character": score.nats_per_character,
        "bits_per_character": score.bits_per_character,
        "perplexity": score.perplexity,
    }


def parts(facts: dict[str, Any], scores: PromptScores) -> Iterator[str]:
    """The answer, a token at a time: as one object it would hold Python's lock for long."""
    yield f'{encoded(facts)[:-1]},"tokens":['
    for index, entry in enumerate(scores):
        yield ("," if index else "") + encoded(logprob_json(entry))
    yield "]}\n"


def encoded(content: dict[str, Any]) -> str:
    """As JSON, like the application's other answers."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
