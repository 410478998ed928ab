"""Blocks of a document: what stands between blank lines, a stanza or a paragraph.

Knows nothing of what is noise.
"""

import re
from collections.abc import Collection
from itertools import pairwise

_GAP = re.compile(r"(\n{2,})")
_CLOSED = re.compile(r"[.,;:!?…\-–—)\]\"'”’。，！？；：」』]$")
_WORD_BEGIN = re.compile(r"[\"'(\[_*]*[a-z]")
MIN_FILLED_WIDTH = 50
_FIRST_WORD = re.compile(r"\S+")
_HEADING_LINE = re.compile(r"[\W\d_]*(?:[IVXLC]{1,8}|(?=[^a-z]*[^\W\d_]{2})[^a-z]+)[\W\d_]*")
_CAPITAL_BEGIN = re.compile(r"[\W\d_]*[^\W\d_a-z]")


def split_blocks(text: str) -> list[str]:
    """Split a document at its blank lines."""
    return _GAP.split(text)[::2] if "\n\n\n" in text else text.split("\n\n")


def without_blocks(text: str, dropped: Collection[int]) -> str:
    """Leave the blocks with these numbers out, each with one of the gaps beside it."""
    if not dropped:
        return text
    parts = _GAP.split(text)
    kept: list[str] = []
    for number in range((len(parts) + 1) // 2):
        if number not in dropped:
            if kept:
                kept.append(parts[2 * number - 1])
            kept.append(parts[2 * number])
    return "".join(kept)


def is_closed(line: str) -> bool:
    """Check whether a line ends with a mark: a title, and a line that a page cut, does not."""
    return _CLOSED.search(line.rstrip()) is not None


def is_filled(lines: list[str]) -> bool:
    """Check whether lines end only where the next word would not have fitted, as prose does.

    A poet ends a line before it is full. At least three lines, the widest of MIN_FILLED_WIDTH
    characters or more, and most of them going on with a small letter: verse whose lines happen to
    be nearly as long as one another begins them with capitals, or is narrower.
    """
    if len(lines) < 3:
        return False
    width = max(map(len, lines))
    if width < MIN_FILLED_WIDTH or len(lines[-1]) > width:
        return False
    small = 0
    for line, following in pairwise(lines):
        word = _FIRST_WORD.search(following)
        if word is None or len(line.rstrip()) + 1 + len(word.group()) <= width:
            return False
        small += _WORD_BEGIN.match(following.lstrip()) is not None
    return 2 * small >= len(lines) - 1


def is_heading(block: str) -> bool:
    """Check whether a block is a heading: one short line or two of capitals, or a numeral."""
    lines = block.split("\n")
    return len(lines) <= 2 and len(block) <= 120 and all(_HEADING_LINE.fullmatch(x) for x in lines)


def is_stanza(block: str) -> bool:
    """Check whether a block reads as verse: four lines or more, most beginning with a capital."""
    lines = block.split("\n")
    capitals = sum(_CAPITAL_BEGIN.match(line) is not None for line in lines)
    return len(lines) >= 4 and capitals >= 0.8 * len(lines) and not is_filled(lines)
