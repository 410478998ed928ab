"""Response models of verse: checks, lines and the report of a poem, by what the verifier found."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, RootModel
from typing_extensions import TypedDict

from service.api.copy_reports import CopyFacts
from service.api.response_models import FINGERPRINT, Count, PromptFacts, closed
from service.error_answers import ErrorAnswer
from verse.poem import ComposedLine
from verse.report import Basis, Check, CheckKind, LineReport, Report

COPIED = (
    "what stands word for word in the model's training text; null where it has no index of that"
)


@closed
class CheckFacts(TypedDict):
    """One thing that was looked at, in a line or in the whole poem."""

    kind: CheckKind
    wanted: str
    found: str
    ok: bool
    source: Annotated[Basis, Field(description="what the verdict rests on; unknown is never ok")]
    is_asked: Annotated[bool, Field(description="whether the form asks for it, or it is only told")]


@closed
class SpokenLineFacts(TypedDict):
    """A line as it is said, and what was looked at in it."""

    number: Annotated[int, Field(ge=1)]
    text: str
    ok: Annotated[bool, Field(description="whether it is all that the form asks for")]
    rhyme: Annotated[str | None, Field(description="its letter, if it has one")]
    syllables: Annotated[list[int], Field(description="how many it may have, the likeliest first")]
    marks: Annotated[
        list[str],
        Field(description="for each word / stressed, \\ half stressed, x weak, ? not known"),
    ]
    checks: list[CheckFacts]


@closed
class PoemLine(SpokenLineFacts):
    """A line of a poem, and what the composer knows of it."""

    ends_stanza: Annotated[bool, Field(description="an empty line follows, unless it is the last")]
    is_given: Annotated[bool, Field(description="locked, or a refrain: it was not written")]
    fluency: Annotated[
        float | None, Field(description="nats a character by the model, less being likelier")
    ]
    forcedness: Annotated[float | None, Field(description="nats of the last word and line end")]
    relaxed: Annotated[list[str], Field(description="what was given up to have it at all")]
    alternatives: Annotated[list[str], Field(description="other versions that keep the form")]


@closed
class PoemReport(TypedDict):
    """What the whole poem keeps, and how it was come by."""

    ok: Annotated[bool, Field(description="whether it keeps its form, by the verifier")]
    checks: Annotated[list[CheckFacts], Field(description="those of the poem; lines have theirs")]
    fluency: Annotated[
        float | None, Field(description="mean over the written lines; null where none was written")
    ]
    free_fluency: Annotated[
        float | None, Field(description="of what the model would have written there freely")
    ]
    relaxed: Annotated[list[str], Field(description="what was given up, and in which lines")]
    tried: Annotated[int, Field(ge=0, description="versions of lines that were begun")]
    missing_keywords: list[str]
    copied: Annotated[CopyFacts | None, Field(description=COPIED)]


@closed
class PoemOpening(TypedDict):
    """The first event of a stream; the same opens the JSON answer."""

    id: Annotated[str, Field(description="to cancel it by")]
    model: str
    fingerprint: Annotated[str, Field(description=FINGERPRINT)]
    seed: Annotated[int, Field(ge=0, description="send it to get the same poem again")]
    form: Annotated[str | None, Field(description="its name; null for a spec without one")]
    title: str
    num_lines: Count
    prompt: PromptFacts


@closed
class PoemEnding(TypedDict):
    """The last event before `data: [DONE]`; the same closes the JSON answer."""

    report: PoemReport
    seed: Annotated[int, Field(ge=0)]
    finish_reason: Annotated[
        Literal["stop", "cancelled"], Field(description="cancelled by its id, or whole")
    ]


@closed
class PoemAnswer(PoemOpening, PoemEnding):
    """A whole poem."""

    text: Annotated[str, Field(description="its lines, with an empty one between stanzas")]
    lines: list[PoemLine]


class PoemEvent(RootModel[PoemOpening | PoemLine | PoemEnding | ErrorAnswer]):
    """The JSON after `data: ` in a stream of `/v1/poems`."""


def check_facts(check: Check) -> CheckFacts:
    """Response model of one check."""
    return {
        "kind": check.kind,
        "wanted": check.wanted,
        "found": check.found,
        "ok": check.ok,
        "source": check.source,
        "is_asked": check.is_asked,
    }


def spoken_line_facts(line: LineReport) -> SpokenLineFacts:
    """Response model of a line by what the verifier found."""
    return {
        "number": line.number,
        "text": line.text,
        "ok": line.ok,
        "rhyme": line.rhyme,
        "syllables": list(line.syllables),
        "marks": list(line.marks),
        "checks": [check_facts(check) for check in line.checks],
    }


def poem_line(line: ComposedLine, report: Report) -> PoemLine:
    """Response model of a line, by the report on it and on those before it."""
    found = report.lines[line.number - 1 : line.number]
    facts = found[0] if found else LineReport(line.number, line.text, ())
    return {
        **spoken_line_facts(facts),
        "text": line.text,
        "ends_stanza": line.ends_stanza,
        "is_given": line.is_given,
        "fluency": facts.fluency,
        "forcedness": facts.forcedness,
        "relaxed": list(line.relaxed),
        "alternatives": list(line.alternatives),
    }


def poem_report(
    report: Report, missing_keywords: Sequence[str], copied: CopyFacts | None
) -> PoemReport:
    """Response model of the report on a poem."""
    return {
        "ok": report.ok,
        "checks": [check_facts(check) for check in report.checks],
        "fluency": report.fluency,
        "free_fluency": report.free_fluency,
        "relaxed": list(report.relaxed),
        "tried": report.tried or 0,
        "missing_keywords": list(missing_keywords),
        "copied": copied,
    }
