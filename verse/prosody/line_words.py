"""Words of a line of verse, as prosody reads them, with where they stand in the line.

Dashes part words, hyphens join them; quotation marks and punctuation go, an apostrophe that belongs
to the word stays (`'tis`, `o'`, `lovers'`). A number is one word, which has no reading.
"""

import re
from dataclasses import dataclass

_APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")
# A hyphen joins letters; two of them, or a dash, part words.
_WORD = re.compile(r"'?[^\W_]+(?:(?:'|-(?!-))[^\W_]+)*'?")
_AT_START = frozenset(
    "tis twas twere twill twould t til gainst neath mid midst mong mongst pon scape twixt bove fore "
    "em cause round bout tween stead way s d ll".split()
)
_AT_END = frozenset("o th i wi an tho thro altho ol y t".split())


@dataclass(frozen=True, slots=True)
class LineWord:
    """One word of a line: its spelling with straight apostrophes, and where it stands."""

    text: str
    start: int
    end: int


def line_words(line: str) -> tuple[LineWord, ...]:
    """Words of a line in order; `line[word.start:word.end]` is the word as it is written."""
    straight = line.translate(_APOSTROPHES)
    return tuple(_trimmed(match) for match in _WORD.finditer(straight))


def _trimmed(match: re.Match[str]) -> LineWord:
    text, start, end = match[0], match.start(), match.end()
    if text.startswith("'") and text.strip("'").lower().partition("'")[0] not in _AT_START:
        text, start = text[1:], start + 1
    if text.endswith("'") and not _keeps_last(text[:-1].lower().lstrip("'")):
        text, end = text[:-1], end - 1
    return LineWord(text, start, end)


def _keeps_last(word: str) -> bool:
    """Whether an apostrophe after a word is its own: `th'`, `singin'`, `lovers'`."""
    return word in _AT_END or word.endswith(("in", "s"))
