"""`POST /v1/score`: how surprising a given text is, as a whole and token by token.

The route, its body and its answer.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field, field_validator
from typing_extensions import TypedDict

from model.parameters import MAX_LOGPROBS
from model.scoring import Score
from service.api.jobs import Jobs
from service.api.json_text import json_object_parts
from service.api.prompt_length import require_prompt_fits
from service.api.prompt_scoring import scores_of, start_scoring, text_facts
from service.api.request_body import json_object, validated, whole_characters
from service.api.response_models import TextFacts, TokenLogprob, closed, token_logprob_response
from service.api.submission import find_model
from service.models.registry import Registry
from service.settings import Settings


class ScoreRequest(BaseModel):
    """One text, and the model that is to say how surprising it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )
    text: str = Field(min_length=1, description="the text to score, from its first character on")
    logprobs: int = Field(
        0,
        ge=0,
        le=MAX_LOGPROBS,
        description="give this many likeliest alternatives to each token",
    )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Request from a JSON object. Raises ParameterError, which names the field."""
        return validated(cls, content)

    _whole_characters = field_validator("text")(whole_characters)


@closed
class ScoreAnswer(TypedDict):
    """How surprising a text is, as a whole and token by token."""

    id: Annotated[str, Field(description="to cancel it by")]
    model: str
    text: TextFacts
    nats_per_character: float
    bits_per_character: float
    perplexity: Annotated[float, Field(description="by character")]
    tokens: Annotated[list[TokenLogprob], Field(description="each given all before it")]


def score_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """Blueprint of `/v1/score`."""
    blueprint = Blueprint("score", __name__)

    @blueprint.post("/v1/score")
    def score() -> Response:
        body = ScoreRequest.from_json(json_object(request))
        served = find_model(registry, body.model)
        require_prompt_fits(settings, served, len(body.text), "text")
        text = served.runner.tokenizer.encode_prompt(body.text)
        job = start_scoring(jobs, served, text, id_prefix="score", alternatives=body.logprobs)
        scores = scores_of(job, jobs)
        facts = text_facts(served, text)
        answer = answer_without_tokens(job.job_id, served.name, facts, scores.nats)
        parts = json_object_parts(answer, tokens=map(token_logprob_response, scores))
        return Response("".join(parts), content_type="application/json")

    return blueprint


def answer_without_tokens(job_id: str, model: str, text: TextFacts, nats: float) -> ScoreAnswer:
    """Answer of `/v1/score` but for its tokens: the surprisal in the units people compare."""
    score = Score(nats=nats, characters=text["characters"])
    return {
        "id": job_id,
        "model": model,
        "text": text,
        "nats_per_character": score.nats_per_character,
        "bits_per_character": score.bits_per_character,
        "perplexity": score.perplexity,
        "tokens": [],
    }
