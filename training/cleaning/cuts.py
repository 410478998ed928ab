"""Cuts of a cleaning: how much of each kind of noise was cut out, with the first example of each.

Knows nothing of how noise is found.
"""

import re
from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal[
    "gutenberg",
    "transcriber-notes",
    "footnotes",
    "illustrations",
    "page-numbers",
    "line-numbers",
    "sites",
    "time-stamps",
    "chords",
    "prose",
    "markup",
]
KINDS: tuple[Kind, ...] = get_args(Kind)

MEANING: dict[Kind, str] = {
    "gutenberg": "Project Gutenberg's header, licence and footer",
    "transcriber-notes": "transcribers' notes",
    "footnotes": "footnotes, their marks, variants, notes",
    "illustrations": "[Illustration], [Sidenote], [sic]",
    "page-numbers": "page numbers",
    "line-numbers": "line numbers in the margin",
    "sites": "what lyrics sites add",
    "time-stamps": "LRC and subtitle time stamps and tags",
    "chords": "chord lines, ChordPro, tablature",
    "prose": "paragraphs of prose",
    "markup": "HTML tags and entities, _emphasis_",
}
EXAMPLE_CHARACTERS = 100


@dataclass(slots=True)
class CutCount:
    """Count of the cuts of one kind: places, characters, and the first of them."""

    places: int
    characters: int
    example: str


@dataclass(slots=True)
class Cuts:
    """Cuts of one cleaning, by kind, in the order in which they were found.

    Kinds to `keep` are not to be cut.
    """

    keep: frozenset[Kind] = frozenset()
    counts: dict[Kind, CutCount] = field(default_factory=dict)

    def add(self, kind: Kind, text: str) -> None:
        """Count one place of a kind, where `text` was cut out."""
        count = self.counts.get(kind)
        if count is None:
            example = " ".join(text[: 4 * EXAMPLE_CHARACTERS].split())[:EXAMPLE_CHARACTERS]
            self.counts[kind] = CutCount(1, len(text), example)
        else:
            count.places += 1
            count.characters += len(text)

    def cut(self, kind: Kind, pattern: re.Pattern[str], text: str, instead: str = "") -> str:
        """Cut what a pattern matches out of a text, each match a place of this kind."""

        def counted(match: re.Match[str]) -> str:
            self.add(kind, match.group().strip())
            return instead

        return pattern.sub(counted, text)

    @property
    def characters(self) -> int:
        """Characters that were cut, of all kinds."""
        return sum(count.characters for count in self.counts.values())
