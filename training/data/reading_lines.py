"""Lines that say how a corpus was read: encodings, what was cut, what parts documents, left out.

The short form that a run prints before it trains. Knows nothing of terminals.
"""

from collections.abc import Iterator, Mapping

from model.count_in_words import counted
from training.cleaning.cuts import MEANING
from training.data.document_parting import WHOLE
from training.data.reading_report import ReadingFacts

SHOWN_LEFT_OUT, SHOWN_NOTES = 3, 5


def reading_lines(facts: ReadingFacts) -> Iterator[str]:
    """Describe a reading, a line a fact, leaving out what is not worth a word."""
    if list(facts.files) != ["text, utf-8"]:
        yield f"texts: {_counts(facts.files)}"
    yield from facts.notes[:SHOWN_NOTES]
    if facts.left_out:
        origins = list(facts.left_out.items())[:SHOWN_LEFT_OUT]
        reasons = "; ".join(f"{origin}: {reason}" for origin, reason in origins)
        more = len(facts.left_out) - SHOWN_LEFT_OUT
        yield f"left out: {reasons}" + (f"; and {more:,} more" if more > 0 else "")
    if facts.dropped:
        yield f"dropped: {_counts(facts.dropped)}"
    for cut in facts.cuts:
        share = 100 * cut.characters / max(facts.characters, 1)
        yield (
            f"cut: {MEANING[cut.kind]}, {counted(cut.places, 'place')}, {share:.2g} % of the text, "
            f"the first {cut.example!r} (--keep {cut.kind})"
        )


def parting_in_words(facts: ReadingFacts) -> str:
    """Say what parts documents, and how many titles were joined: ", parted by two blank lines"."""
    partings = {name: count for name, count in facts.partings.items() if name != WHOLE.name}
    parted = f", parted by {_by_texts(partings)}" if partings else ""
    return f"{parted}{_joined(facts.titles_joined)}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _by_texts(partings: Mapping[str, int]) -> str:
    if len(partings) == 1:
        return next(iter(partings))
    return ", ".join(f"{name} ({counted(count, 'text')})" for name, count in partings.items())


def _joined(titles: int) -> str:
    if titles == 0:
        return ""
    return f"; {counted(titles, 'title')} apart joined to the poem"
