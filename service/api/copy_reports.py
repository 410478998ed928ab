"""Copy reports of generated texts: what of a text stands word for word in the training text.

For requests with `copies: true`, where the checkpoint has a copy index. Knows nothing of streams.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from model.copies.copy_index import CopiedRun, CopyIndex
from model.copies.copy_report import Verdict, copy_report
from model.errors import ParameterError
from service.api.response_models import closed
from service.models.served_model import ServedModel

ASKED = "tell what of each text stands word for word in the training text"
COPIES = "what of the text stands word for word in the training text; only where it was asked for"


@closed
class CopiedRunFacts(TypedDict):
    """A run of the text that stands in the training text, and where."""

    text: str
    start: Annotated[int, Field(ge=0, description="where in the text it begins, in characters")]
    characters: Annotated[
        int, Field(ge=1, description="its letters, and one for what stands between words")
    ]
    words: Annotated[int, Field(ge=0, description="words of the text that lie wholly in it")]
    file: Annotated[str, Field(description="of the training text")]
    document: Annotated[int, Field(ge=1, description="which text of the file")]
    line: Annotated[int, Field(ge=1, description="which line of the document")]
    title: Annotated[str | None, Field(description="of the document, where it has one")]


@closed
class CopyFacts(TypedDict):
    """Verbatim copies in a text; what is retold or imitated is not looked for."""

    verdict: Annotated[
        Verdict,
        Field(
            description="flagged: a run of 30 characters or more; rejected: one of 40 characters "
            "or 8 words; clear: none"
        ),
    ]
    longest: Annotated[
        CopiedRunFacts | None, Field(description="below 28 characters it may be chance")
    ]
    flagged: Annotated[list[CopiedRunFacts], Field(description="the longest first")]


def copy_index_for(served: ServedModel, *, is_asked: bool) -> CopyIndex | None:
    """Copy index of a model where reports are asked for.

    Raises ParameterError where they are, and the model has none.
    """
    if not is_asked:
        return None
    if served.copy_index is None:
        problem = f"the model {served.name} has no index of its training text"
        raise ParameterError("copies", f"{problem}; `strophe copies` makes one")
    return served.copy_index


def copy_facts(index: CopyIndex, text: str) -> CopyFacts:
    """Response model of what `text` copies."""
    report = copy_report(index, text)
    longest = report.longest
    return {
        "verdict": report.verdict,
        "longest": None if longest is None else _run_facts(longest, text),
        "flagged": [_run_facts(run, text) for run in report.flagged],
    }


def _run_facts(run: CopiedRun, text: str) -> CopiedRunFacts:
    return {
        "text": text[run.start : run.end],
        "start": run.start,
        "characters": run.characters,
        "words": run.words,
        "file": run.file,
        "document": run.document,
        "line": run.line,
        "title": run.title,
    }


class StreamedTexts:
    """Texts of a stream as they grow, whose copies are told at their ends."""

    def __init__(self, index: CopyIndex, opening: Callable[[int], str] = lambda _: "") -> None:
        """Begin without a piece; `opening` gives what stands before those of a text."""
        self._index = index
        self._opening = opening  # asked at the end: until then it may still be written again
        self._pieces: defaultdict[int, list[str]] = defaultdict(list)

    def add(self, number: int, piece: str) -> None:
        """Note a piece of text `number`."""
        self._pieces[number].append(piece)

    def facts(self, number: int) -> CopyFacts:
        """Response model of what text `number` copies, which has ended."""
        return copy_facts(self._index, "".join([self._opening(number), *self._pieces[number]]))
