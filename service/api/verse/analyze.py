"""`POST /v1/analyze`: what a given text is as verse, and whether it keeps a form.

The route, its body and its answer. Needs no network, so it is no job of the engine; a model is only
asked for what the text has from its training text.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from flask import Blueprint, Response, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from model.copies.copy_index import CopyIndex
from service.api.copy_reports import CopyFacts, copy_facts
from service.api.request_body import json_object, require_whole_characters, validated
from service.api.response_models import Count, closed
from service.api.submission import find_model
from service.api.verse.poem_models import (
    COPIED,
    CheckFacts,
    SpokenLineFacts,
    check_facts,
    spoken_line_facts,
)
from service.models.registry import Registry
from verse.analysis import Analysis, Confidence, analyse
from verse.forms import PoemSpec
from verse.presets import preset
from verse.report import Report
from verse.verifier import verify

MAX_ANALYZED = 20_000  # characters, some seconds of computing


class AnalyzeRequest(BaseModel):
    """A text, and the form that it is to be held against, if any."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    model: str | None = Field(
        None,
        max_length=200,
        description="name of a model, in whose training text copies are looked for; unset takes "
        "the default one, if there is one",
    )
    text: str = Field(
        min_length=1,
        max_length=MAX_ANALYZED,
        description="lines of verse; blank lines part stanzas",
    )
    form: str | None = Field(None, max_length=60, description="name of a form to hold it against")
    word: str | None = Field(
        None, max_length=200, description="what an acrostic spells, or a ghazal's lines end with"
    )
    spec: PoemSpec | None = Field(None, description="a form of one's own, instead of `form`")
    by_stanza: bool = Field(
        False,
        description="read each stanza by itself: rhyme letters begin anew in each, and no form of "
        "the whole is looked for",
    )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Request from a JSON object. Raises ParameterError, which names the field."""
        require_whole_characters(content)
        return validated(cls, content)

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        if self.form is not None and self.spec is not None:
            raise ValueError("form or spec: give one of them")
        if self.form is None and self.word is not None:
            raise ValueError("word belongs to a form by name")
        return self

    def poem_spec(self) -> PoemSpec | None:
        """Form that is asked for, if any. Raises ParameterError for one that there is not."""
        return self.spec if self.form is None else preset(self.form, self.word)


@closed
class RecognizedForm(TypedDict):
    """A form that the text seems to have."""

    form: str
    confidence: Confidence
    kept: Annotated[int, Field(ge=0, description="how many of its demands are kept")]
    asked: Count


@closed
class FormReport(TypedDict):
    """Whether the text keeps the form that it is held against."""

    form: str | None
    ok: bool
    checks: Annotated[list[CheckFacts], Field(description="those of the poem; lines have theirs")]
    lines: list[SpokenLineFacts]


@closed
class AnalyzeAnswer(TypedDict):
    """A text as verse: how its lines are said, what rhymes, and its form."""

    lines: list[SpokenLineFacts]
    scheme: Annotated[
        str,
        Field(description="rhyme letters, a space between stanzas, - for what rhymes with none"),
    ]
    recognized: Annotated[
        RecognizedForm | None,
        Field(description="null where it has no known one, and with by_stanza"),
    ]
    unknown_words: Annotated[list[str], Field(description="words whose sound is a guess at best")]
    report: Annotated[FormReport | None, Field(description="null where no form was asked for")]
    copied: Annotated[CopyFacts | None, Field(description=COPIED)]


def analyze_blueprint(registry: Registry) -> Blueprint:
    """Blueprint of `/v1/analyze`."""
    blueprint = Blueprint("analyze", __name__)

    @blueprint.post("/v1/analyze")
    def analyze() -> Response:
        body = AnalyzeRequest.from_json(json_object(request))
        spec = body.poem_spec()
        index = copy_index_of(registry, body.model)
        report = None if spec is None else verify(body.text, spec)
        copied = None if index is None else copy_facts(index, body.text)
        analysis = analyse(body.text, by_stanza=body.by_stanza)
        return jsonify(analyze_answer(analysis, report, copied))

    return blueprint


def copy_index_of(registry: Registry, name: str | None) -> CopyIndex | None:
    """Copy index of a model, if it has one. Raises ApiError for a name that there is not."""
    if name is None and registry.catalogue.default_name is None:
        return None
    return find_model(registry, name).copy_index


def analyze_answer(
    analysis: Analysis, report: Report | None, copied: CopyFacts | None
) -> AnalyzeAnswer:
    """Answer of `/v1/analyze`."""
    found = analysis.recognition
    return {
        "lines": [spoken_line_facts(line) for line in analysis.lines],
        "scheme": analysis.scheme,
        "recognized": None
        if found is None
        else {
            "form": found.form,
            "confidence": found.confidence,
            "kept": found.kept,
            "asked": found.asked,
        },
        "unknown_words": list(analysis.unknown_words),
        "report": None if report is None else form_report(report),
        "copied": copied,
    }


def form_report(report: Report) -> FormReport:
    """Response model of a report on a text that nobody composed here."""
    return {
        "form": report.form,
        "ok": report.ok,
        "checks": [check_facts(check) for check in report.checks],
        "lines": [spoken_line_facts(line) for line in report.lines],
    }
