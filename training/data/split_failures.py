"""Why a corpus cannot be split: no text, or one document, and what in it may be meant to part it.

Knows nothing of files.
"""

from collections.abc import Sequence

from model.count_in_words import counted
from training.data.reading_report import ReadingFacts
from training.data.separator_hints import separator_hints


def why_one_document(text: str, separator: str | None, copies: int) -> str:
    """Say what the only document is; `copies` of it were left out."""
    parted = "parted nowhere" if separator is None else f"parted nowhere by {separator!r}"
    found = f"it is one document of {counted(len(text), 'character')}, {parted}"
    if copies > 0:
        found = (
            f"its {copies + 1:,} documents are all the same one of "
            f"{counted(len(text), 'character')} ({copies:,} left out as duplicates)"
        )
    hints = [*separator_hints(text, separator), "for one long text use --split contiguous"]
    return f"the corpus is too small to split: {found}; {'; '.join(hints)}"


def why_blank(files: Sequence[str], reading: ReadingFacts) -> str:
    """Say why there is no text: all of it cut, files that give none, or nothing visible."""
    if reading.why_stop is not None:
        return f"no text: {reading.why_stop}"
    if reading.left_out:
        origin, reason = next(iter(reading.left_out.items()))
        return f"no text: {origin}: {reason}"
    holds = f"{files[0]} holds" if len(files) == 1 else f"the {len(files):,} files hold"
    return f"no text: {holds} no visible character"
