"""`POST /v1/score`: how surprising a given text is, as a whole and token by token."""

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from model.decoding.prompt_scores import PromptScores
from model.scoring import Score
from service.api.generate_responses import logprob_json
from service.api.jobs import Jobs
from service.api.json_text import json_text
from service.api.prompt_scoring import begin, listed, scores_of, text_facts
from service.api.request_body import json_object
from service.api.score_body import ScoreRequest
from service.api.submission import find_model, prompt_too_long
from service.models.registry import Registry
from service.request_ids import new_id
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
        text = served.runner.tokenizer.encode_prompt(wanted.text)
        job = begin(new_id("score"), served, text, jobs, alternatives=wanted.logprobs)
        scores = scores_of(job, jobs)
        about = text_facts(served, text)
        facts = {
            "id": job.job_id,
            "model": served.name,
            "text": about,
            **measures(scores, about["characters"]),
        }
        return Response("".join(parts(facts, scores)), content_type="application/json")

    return blueprint


def measures(scores: PromptScores, characters: int) -> dict[str, float]:
    """The surprisal of the whole text in the units people compare."""
    score = Score(nats=scores.nats, characters=characters)
    return {
        "nats_per_character": score.nats_per_character,
        "bits_per_character": score.bits_per_character,
        "perplexity": score.perplexity,
    }


def parts(facts: dict[str, Any], scores: PromptScores) -> Iterator[str]:
    """The answer, a token at a time."""
    yield f'{json_text(facts)[:-1]},"tokens":'
    yield from listed(map(logprob_json, scores))
    yield "}\n"
