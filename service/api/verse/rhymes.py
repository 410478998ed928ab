"""`POST /v1/rhymes`: words that rhyme with a word, and how likely the model finds each in a place.

The route, its body and its answer.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from model.errors import ParameterError
from model.tokenizer import EncodedPrompt
from service.api.inspect_models import probability
from service.api.jobs import Job, Jobs
from service.api.prompt_length import require_prompt_fits
from service.api.request_body import json_object, require_whole_characters, validated
from service.api.response_models import Count, closed
from service.api.submission import find_model, start_composition
from service.api.verse.voices import voice_of_model
from service.engine.composition import Composition
from service.engine.failure import Failure, RequestFailedError
from service.error_answers import bad_request
from service.models.registry import Registry
from service.models.served_model import ServedModel
from service.settings import Settings
from verse.composer.lexicon import Lexicon
from verse.composer.rhyme_palette import Palette, PaletteWord, palette_of, weighed
from verse.composer.voice import Voice
from verse.prosody.line_words import line_words
from verse.prosody.pronunciation import Source

MAX_WEIGHED = 256  # rhymes of a word, the commonest: rows of a few network steps


class RhymesRequest(BaseModel):
    """A word that is to be rhymed, and the text that a rhyme would follow."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )
    word: str = Field(
        min_length=1,
        max_length=200,
        description="the word to rhyme with, or a line that ends on it",
    )
    context: str = Field(
        "", description="what the rhyme is to follow: the poem so far, and the line up to there"
    )
    limit: int = Field(60, ge=1, le=MAX_WEIGHED, description="give this many, the likeliest")

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Request from a JSON object. Raises ParameterError, which names the field."""
        require_whole_characters(content)
        return validated(cls, content)


@closed
class RhymingWord(TypedDict):
    """A word that rhymes, and how likely it is in the place."""

    word: str
    probability: Annotated[float, Field(ge=0, le=1, description="that it comes next, as a word")]
    share: Annotated[float, Field(ge=0, le=1, description="of it, among all that were weighed")]


@closed
class RhymesOfLength(TypedDict):
    """Words of one number of syllables, the likeliest first."""

    syllables: Annotated[int, Field(ge=1)]
    words: list[RhymingWord]


@closed
class RhymesAnswer(TypedDict):
    """Words that rhyme with a word, by their syllables."""

    id: Annotated[str, Field(description="to cancel it by")]
    model: str
    word: str
    source: Annotated[Source, Field(description="what is known of how it sounds")]
    num_rhymes: Annotated[Count, Field(description="that the model has; the commonest are weighed")]
    groups: list[RhymesOfLength]


def rhymes_blueprint(settings: Settings, jobs: Jobs, registry: Registry) -> Blueprint:
    """Blueprint of `/v1/rhymes`."""
    blueprint = Blueprint("rhymes", __name__)

    @blueprint.post("/v1/rhymes")
    def find_rhymes() -> Response:
        body = RhymesRequest.from_json(json_object(request))
        served = find_model(registry, body.model)
        require_prompt_fits(settings, served, len(body.context), "context")
        voice = voice_of_model(served, jobs)
        palette = require_palette(voice, body.word)
        job, words = weigh(body, palette, voice, served, jobs)
        return jsonify(rhymes_answer(job, palette, words, body.limit))

    return blueprint


def require_palette(voice: Voice, line: str) -> Palette:
    """Rhymes of a line's last word. Raises ParameterError, and ApiError where there are none."""
    if voice.lexicon is None:
        raise no_rhyme(f"rhymes need a model of English: {voice.why_no_lexicon}", "model")
    words = line_words(line)
    if not words:
        raise ParameterError("word", "has no word in it")
    word = words[-1].text.casefold()
    palette = palette_of(voice.lexicon, word)
    if palette is None:
        raise no_rhyme(f"nothing is known of how {word!r} sounds")
    if not palette.rhymes:
        raise no_rhyme(f"no word of this model rhymes with {word!r}{_instead(voice.lexicon, word)}")
    return palette


def _instead(lexicon: Lexicon, word: str) -> str:
    near = lexicon.near_rhymes(word)[:5]
    return f"; nearest in sound: {', '.join(near)}" if near else ""


def no_rhyme(message: str, param: str = "word") -> Exception:
    """Error 422: there is nothing to answer with."""
    return bad_request(message, param=param, code="no_rhyme", status=422)


def weigh(
    body: RhymesRequest, palette: Palette, voice: Voice, served: ServedModel, jobs: Jobs
) -> tuple[Job, Sequence[PaletteWord]]:
    """Weigh the rhymes in their place by the engine. Raises RequestFailedError."""
    words = palette.rhymes[:MAX_WEIGHED]
    composition = Composition(weighed(voice, body.context, words))
    context: EncodedPrompt = served.runner.tokenizer.encode_prompt(body.context)
    job = start_composition(jobs, served, composition, context, id_prefix="rhymes")
    jobs.wait(job)
    if composition.result is None:  # cancelled by its id
        raise RequestFailedError(Failure.CANCELLED)
    return job, composition.result


def rhymes_answer(
    job: Job, palette: Palette, words: Sequence[PaletteWord], limit: int
) -> RhymesAnswer:
    """Answer of `/v1/rhymes`."""
    weights = [probability(each.logprob) for each in words]
    total = sum(weights) or 1.0
    groups: dict[int, list[RhymingWord]] = {}
    for each, weight in list(zip(words, weights, strict=True))[:limit]:
        share = min(1.0, float(f"{weight / total:.6g}"))
        groups.setdefault(each.syllables, []).append(
            {"word": each.word, "probability": weight, "share": share}
        )
    return {
        "id": job.job_id,
        "model": job.model,
        "word": palette.word,
        "source": palette.source,
        "num_rhymes": len(palette.rhymes),
        "groups": [{"syllables": n, "words": found} for n, found in sorted(groups.items())],
    }
