"""Project Gutenberg's header, licence and footer, cut out of a text that comes in pieces.

Both forms are known: `*** START OF THE PROJECT GUTENBERG EBOOK ... ***` with `*** END OF ...`, and
the older `*END*THE SMALL PRINT! ...` with `End of the Project Gutenberg Etext`. In files that were
joined each part loses its own. Knows nothing of documents.
"""

import re
from collections.abc import Iterable, Iterator

from training.cleaning.cuts import Cuts

OPENING = 1 << 16  # characters of a file, or before a START, that a header lies in
LICENCE = 30_000  # characters behind an END: the full licence has some 19,000
_START = re.compile(
    r"^[ \t]*\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG[^*]{0,400}\*{3}.*\n?"
    r"|^.*\*END ?\*? ?THE SMALL PRINT.*\n?",
    re.MULTILINE | re.IGNORECASE,
)
_END = re.compile(
    r"^[ \t]*(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG"
    r"|\**End of (?:the |this )?Project Gutenberg).*\n?",
    re.MULTILINE | re.IGNORECASE,
)
_TITLE_LINE = re.compile(
    r"^[\W_]{0,6}(?:The |\*+This is the )?Project Gutenberg(?:'s)? (?:e-?book|e-?text|of|edition)",
    re.MULTILINE | re.IGNORECASE,
)
_CREDIT = re.compile(
    r"\s*(?:(?:Produced|E-?text prepared|Transcribed|Prepared|Scanned|This e-?(?:text|book) was"
    r" (?:prepared|produced|transcribed)) (?:by|from)\b(?:(?!\n\n).){0,800}\n\n\s*)+",
    re.IGNORECASE | re.DOTALL,
)
_LICENCE_WORDS = ("gutenberg", "small print", "full license")
# Each as people write it: a search that takes any capitals is a hundred times as slow.
_LICENCE_SIGNS = [
    sign
    for words in _LICENCE_WORDS
    for sign in (words, words.capitalize(), words.title(), words.upper())
]
_FACT = re.compile(r"^(Title|Author|Language):[ \t]*(\S.*)$", re.MULTILINE)


class GutenbergCutter:
    """Cutter of Gutenberg's additions; what a header tells goes to `facts`: title, author."""

    def __init__(self, cuts: Cuts, facts: dict[str, str]) -> None:
        self._facts = facts
        self._cuts = cuts
        self._licence_left = 0  # characters that may still be cut behind an END

    def cut(self, pieces: Iterable[str]) -> Iterator[str]:
        """Read a text in pieces of whole lines, the first at least OPENING characters, cut."""
        for piece in pieces:
            if self._licence_left > 0 or _shows_licence(piece):
                yield from self._without(piece)
            else:
                yield piece

    def _without(self, piece: str) -> Iterator[str]:
        place = 0
        while place < len(piece):
            if self._licence_left > 0:
                place = self._skip_licence(piece, place)
                continue
            start = _START.search(piece, place)
            end = _END.search(piece, place)
            if start is not None and (end is None or start.start() < end.start()):
                header = self._header_begin(piece, place, start.start())
                yield piece[place:header]
                place = self._skip_header(piece, header, start.end())
            elif end is not None:
                yield piece[place : end.start()]
                self._cuts.add("gutenberg", end.group())
                place = end.end()
                is_licensed = _shows_licence(piece[place : place + LICENCE])
                self._licence_left = LICENCE if is_licensed or place == len(piece) else 0
            else:
                yield piece[place:]
                break

    def _header_begin(self, piece: str, place: int, start: int) -> int:
        """Find where the header of a START begins: at a title line, or where the text does."""
        titles = [
            m.start() for m in _TITLE_LINE.finditer(piece, max(place, start - OPENING), start)
        ]
        if titles:
            return titles[0]
        return place if start - place < OPENING and place == 0 else start

    def _skip_header(self, piece: str, begin: int, end: int) -> int:
        header = piece[begin:end]
        for name, value in _FACT.findall(header):
            self._facts.setdefault(name.lower(), value.strip())
        credit = _CREDIT.match(piece, end)
        end = end if credit is None else credit.end()
        self._cuts.add("gutenberg", piece[begin:end])
        return end

    def _skip_licence(self, piece: str, place: int) -> int:
        """Skip what lies behind an END: up to the next header, or as much as a licence has."""
        limit = min(len(piece), place + self._licence_left)
        title = _TITLE_LINE.search(piece, place, limit)
        start = _START.search(piece, place, limit + 500)
        if start is None:
            self._licence_left -= limit - place
        else:
            limit = start.start() if title is None else min(title.start(), start.start())
            self._licence_left = 0
        self._cuts.add("gutenberg", piece[place:limit])
        return limit


def _shows_licence(text: str) -> bool:
    return any(sign in text for sign in _LICENCE_SIGNS)
