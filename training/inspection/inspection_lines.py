"""Lines of an inspection for the terminal: a fact a line, then three poems.

Knows nothing of how a corpus is inspected.
"""

from collections.abc import Iterator

from model.count_in_words import counted
from training.cleaning.cuts import MEANING
from training.inspection.corpus_inspection import DocumentFacts, Inspection


def inspection_facts(found: Inspection) -> Iterator[tuple[str, str]]:
    """Facts of an inspection, by name, for people."""
    reading = found.reading
    yield "files", f"{found.files:,}"
    yield "read as", "; ".join(f"{name}: {count:,}" for name, count in reading.files.items())
    yield from (("note", note) for note in reading.notes)
    if reading.dropped:
        yield "dropped", _counts(reading.dropped)
    for cut in reading.cuts:
        share = 100 * cut.characters / max(reading.characters, 1)
        yield (
            f"cut: {cut.kind}",
            (
                f"{MEANING[cut.kind]}: {counted(cut.places, 'time')}, "
                f"{counted(cut.characters, 'character')} ({share:.2g} %), the first {cut.example!r}"
            ),
        )
    yield (
        "no verse",
        f"{100 * reading.cut_share:.2g} % of {counted(reading.characters, 'character')}",
    )
    yield "might part them, by each beginning", _counts(reading.separators)
    yield "parted by", _counts(reading.partings)
    yield "titles joined", f"{reading.titles_joined:,}"
    left_out = f"{counted(found.duplicates, 'duplicate')} and {counted(found.reprints, 'reprint')}"
    yield "documents", f"{found.documents:,}; {left_out} left out"
    yield "characters", f"{found.characters:,}, {found.different_characters:,} different ones"
    yield "rarest", ", ".join(_character(*item) for item in found.rarest_characters.items())
    yield "line lengths", ", ".join(f"{k} {v:g}" for k, v in found.line_characters.items())
    yield "longest", _document(found.longest)
    yield "shortest", _document(found.shortest)
    yield "language", f"{found.language} (a guess)" if found.language is not None else "not clear"
    yield from _sources(found)
    if reading.why_stop is not None:
        yield "a run would stop", reading.why_stop


def _sources(found: Inspection) -> Iterator[tuple[str, str]]:
    reading = found.reading
    if reading.authors:
        yield "authors", _counts(reading.authors)
    if reading.titles:
        yield "titles", "; ".join(reading.titles)
    if reading.licences:
        yield "rights", "; ".join(reading.licences)
    yield from (("link not followed", link) for link in found.outward_links)
    yield from (("left out", f"{name}: {reason}") for name, reason in reading.left_out.items())
    if reading.expected_left_out:
        files = counted(reading.expected_left_out, "file")
        yield "left out, too", f"{files} of the system or pictures"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "nothing"


def _character(char: str, count: int) -> str:
    return f"{char!r} U+{ord(char):04X} ({count:,})"


def _document(facts: DocumentFacts) -> str:
    size = f"{counted(facts.characters, 'character')}, {counted(facts.lines, 'line')}"
    return f"{size}: {facts.title!r} ({facts.file})"
