"""Relaxation of a line: what is given up of it, step by step, where no line keeps it all.

First the metre, then the number of syllables, then the rhyme. Words, letters and text that are
given are never given up. Knows nothing of how lines are written.
"""

from collections.abc import Iterator

from verse.forms import MAX_SYLLABLES, LineSpec

GIVE = 2  # syllables more or fewer

Relaxed = tuple[tuple[str, ...], LineSpec]  # what was given up, and the line that is left


def relaxations(line: LineSpec) -> Iterator[Relaxed]:
    """Relax a line: without its metre, with more or fewer syllables, and without its rhyme."""
    given_up: tuple[str, ...] = ()
    counts = line.syllable_range
    if line.metre is not None:
        given_up = (*given_up, "metre")
        line = line.model_copy(update={"metre": None, "syllables": counts})
        yield given_up, line
    if counts is not None:
        given_up = (*given_up, "syllables")
        wider = (max(1, counts[0] - GIVE), min(MAX_SYLLABLES, counts[1] + GIVE))
        line = line.model_copy(update={"syllables": wider})
        yield given_up, line
    if line.rhyme is not None:
        yield (*given_up, "rhyme"), line.model_copy(update={"rhyme": None})


def most_relaxed(line: LineSpec) -> LineSpec:
    """The line that is left when all is given up that can be."""
    *_, (_, last) = [((), line), *relaxations(line)]
    return last


def wanted_of(line: LineSpec) -> str:
    """Demands of a line, in words."""
    fields = line.model_dump(exclude_none=True)
    return ", ".join(f"{name} {value}" for name, value in fields.items()) or "its form"
