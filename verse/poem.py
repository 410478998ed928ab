"""Poem: composed lines, each with what it cost and what was given up for it.

Knows nothing of how lines are written.
"""

from dataclasses import dataclass

from model.errors import ModelError


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedLine:
    """One line of a poem. Costs are in nats, by the model at temperature 1; None for given lines.

    A given line is locked text or a refrain.
    """

    number: int  # from 1
    text: str
    ends_stanza: bool
    is_given: bool = False
    nats_per_character: float | None = None
    free_nats_per_character: float | None = None  # of what the model would have written here freely
    end_nats: float | None = None  # of the last word and the line's end: how forced they are
    particles: int = 0  # versions that were written, over all tries
    relaxed: tuple[str, ...] = ()  # what was given up to have a line at all
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Poem:
    """Poem, and what is needed to have it again."""

    lines: tuple[ComposedLine, ...]
    title: str
    seed: int
    missing_keywords: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Lines, with an empty one between stanzas, without the title."""
        last = len(self.lines)
        return "".join(
            line.text + ("\n\n" if line.ends_stanza and line.number < last else "\n")
            for line in self.lines
        )


class CompositionError(ModelError):
    """Poem that cannot keep its form; `partial` holds the lines that could."""

    def __init__(self, reason: str, partial: Poem) -> None:
        super().__init__(f"line {len(partial.lines) + 1}: {reason}")
        self.reason = reason
        self.partial = partial
