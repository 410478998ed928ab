"""Words of a line of verse, as prosody reads them, with where they stand in the line.

Dashes part words, hyphens join them; quotation marks and punctuation go, an apostrophe that belongs
to the word stays (`'tis`, `o'`, `lovers'`). A number is one word, which has no reading.
"""

import re
from dataclasses import dataclass

_APOSTROPHES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u0060\u00b4"), "'")
# A hyphen joins letters; two of them, or a dash, part words.
_WORD = re.compile(r"'?[^\W_]+(?:(?:'|-(?!-))[^\W_]+)*'?")
_CUT_AT_START = """
tis twas twere twill twould t til gainst neath mid midst mong mongst pon scape twixt bove fore em
cause round bout tween stead way gan twasn s d ll
"""
_CUT_AT_END = "o th i wi an tho thro altho ol y t"
_AT_START, _AT_END = frozenset(_CUT_AT_START.split()), frozenset(_CUT_AT_END.split())


@dataclass(frozen=True, slots=True)
class LineWord:
    """One word of a line: its spelling with straight apostrophes, and where it stands."""

    text: str
    start: int
    end: int


def with_straight_apostrophes(text: str) -> str:
    """Text with every shape of an apostrophe or single quotation mark as the plain one."""
    return text.translate(_APOSTROPHES)


def line_words(line: str) -> tuple[LineWord, ...]:
    """Words of a line in order; `line[word.start:word.end]` is the word as it is written."""
    return tuple(_trimmed(match) for match in _WORD.finditer(with_straight_apostrophes(line)))


def _trimmed(match: re.Match[str]) -> LineWord:
    text, start, end = match[0], match.start(), match.end()
    if text.startswith("'") and text.strip("'").lower().partition("'")[0] not in _AT_START:
        text, start = text[1:], start + 1
    if text.endswith("'") and not _keeps_last(text[:-1].lower().lstrip("'")):
        text, end = text[:-1], end - 1
    return LineWord(text, start, end)


def _keeps_last(word: str) -> bool:
    """Check whether an apostrophe after a word is its own: `th'`, `singin'`, `lovers'`."""
    return word in _AT_END or word.endswith(("in", "s"))
