"""Parting of a text into documents by what the text shows, where no separator is named.

In turn: tunes that begin at `X:`; two blank lines; form feeds; rules such as `---` and `* * *`; one
blank line, where each block begins with a title; titles and numerals over poems. Of a text that
shows none of these nothing is parted: it is one poem, in stanzas. Knows nothing of files.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from training.cleaning.blocks import is_closed, is_heading

SHOWN = 4_000_000  # characters of a text that the choice looks at
LOOK_AHEAD = 400  # characters that the end of a separator may reach over
STRAY_SHARE = 0.01  # of the gaps between blocks: so few with two blank lines part nothing
TUNES, FORM_FEEDS, RULES, TITLES = "lines X: of tunes", "form feeds", "rules", "titles"
TWO_BLANK, ONE_BLANK = "two blank lines", "single blank lines"
FEWEST_TITLED, FEWEST_HEADINGS, FEWEST_NUMERALS = 4, 3, 10

_TWO_BLANK = re.compile("\n\n\n")
_ONE_BLANK = re.compile("\n\n")
_TUNE = re.compile(r"\n(?=X:[ \t]*\d+[ \t]*\n)")
FORM_FEED = re.compile(r"(?<!\n)\n*\f[\n\f]*")
_RULE = re.compile(r"(?:^|\n)[ \t]*(?:([-*=_~#+.%•⁂])(?:[ \t]*\1){2,}|%%|⁂|§)[ \t]*(?=\n|\Z)")
_NUMERAL = re.compile(r"(?:Sonnet |SONNET |No\. ?)?(?:[IVXLC]{1,8}|\d{1,4})\.?")
_HEADED = re.compile(
    r"\n\n(?=(?:[^a-z\n]{2,60}|[IVXLC]|(?:Sonnet |No\. ?)?\d{1,4}\.?)\n"
    r"(?:[^a-z\n]{1,60}\n)?\n?[^\n]*[^\W\d_])"
)


@dataclass(frozen=True, slots=True)
class Parting:
    """Parting of a text into documents: by `pattern`, called `name`, found `count` times."""

    name: str
    pattern: re.Pattern[str]
    count: int


# Nothing shown in the beginning: two blank lines further on part documents all the same.
WHOLE = Parting("ends of files", _TWO_BLANK, 0)


def named_parting(separator: str) -> Parting:
    """Parting by a separator that was named."""
    return Parting(repr(separator), re.compile(re.escape(separator)), 0)


def candidates(text: str) -> Counter[str]:
    """Count what might part the documents of a text, by its name."""
    found = Counter(
        {
            TUNES: len(_TUNE.findall("\n" + text)),
            TWO_BLANK: len(re.findall(r"\n{3,}", text)),
            FORM_FEEDS: text.count("\f"),
            RULES: len(_RULE.findall(text)),
            ONE_BLANK: len(re.findall(r"(?<!\n)\n\n(?!\n)", text)),
        }
    )
    return +found


def shown_parting(text: str, found: Counter[str]) -> Parting:
    """Choose what parts the documents of a text from its beginning, some SHOWN characters.

    `found` are its `candidates`.
    """
    return next((parting for parting in _possible(text, found) if parting.count > 0), WHOLE)


def _possible(text: str, found: Counter[str]) -> Iterator[Parting]:
    """List what may part a text, the surest first; a count of 0 says that it does not."""
    gaps = found[TWO_BLANK] + found[ONE_BLANK]
    yield Parting(TUNES, _TUNE, found[TUNES])
    is_stray = found[TWO_BLANK] <= STRAY_SHARE * gaps
    yield Parting(TWO_BLANK, _TWO_BLANK, 0 if is_stray else found[TWO_BLANK])
    yield Parting(FORM_FEEDS, FORM_FEED, found[FORM_FEEDS])
    yield Parting(RULES, _RULE, found[RULES] if _is_parted_by_rules(text) else 0)
    blocks = [block for block in text.strip("\n").split("\n\n") if block]
    yield Parting(ONE_BLANK, _ONE_BLANK, len(blocks) - 1 if _all_titled(blocks) else 0)
    yield Parting(TITLES, _HEADED, _poem_headings(blocks))
    yield Parting(TWO_BLANK, _TWO_BLANK, found[TWO_BLANK])


def _is_parted_by_rules(text: str) -> bool:
    """Check whether what lies between rules are poems and not lines."""
    parts = [part for part in _RULE.sub("\0", text).split("\0") if part.strip()]
    return len(parts) > 1 and sum(part.strip().count("\n") >= 1 for part in parts) > len(parts) / 2


def _all_titled(blocks: list[str]) -> bool:
    """Check whether nearly every block begins with a title, so that blocks are poems.

    A title ends with no mark, and the last line of its poem does. Of stanzas that holds for a few.
    """
    if len(blocks) < FEWEST_TITLED:
        return False
    titled = 0
    for block in blocks:
        lines = block.split("\n")
        titled += len(lines) >= 3 and not is_closed(lines[0]) and is_closed(lines[-1])
    return titled >= 0.9 * len(blocks)


def _poem_headings(blocks: list[str]) -> int:
    """Count the headings that head poems of their own; 0 where they may number the parts of one.

    Numerals alone head the parts of a poem, too, unless there are many.
    """
    if len(blocks) <= FEWEST_HEADINGS or not is_heading(blocks[0]):
        return 0
    headings = [block for block in blocks if is_heading(block)]
    numerals = sum(_NUMERAL.fullmatch(block.strip()) is not None for block in headings)
    is_enough = len(headings) - numerals >= FEWEST_HEADINGS or numerals >= FEWEST_NUMERALS
    return len(headings) if is_enough and len(headings) <= len(blocks) / 2 else 0


def parted(pieces: Iterable[str], parting: Parting) -> Iterator[str]:
    """Part a text that comes in pieces; only the document that has not ended yet is held."""
    pattern = parting.pattern
    held: list[str] = []
    tail = ""  # its end may be the beginning of a separator
    for piece in pieces:
        text, place = tail + piece, 0
        safe = len(text) - LOOK_AHEAD
        for match in pattern.finditer(text):
            if match.end() > safe:
                break
            yield "".join([*held, text[place : match.start()]])
            held, place = [], match.end()
        cut = max(place, safe)
        held.append(text[place:cut])
        tail = text[cut:]
    first, *others = _split(pattern, tail)
    yield "".join([*held, first])
    yield from others


def _split(pattern: re.Pattern[str], text: str) -> list[str]:
    parts, place = [], 0
    for match in pattern.finditer(text):
        parts.append(text[place : match.start()])
        place = match.end()
    return [*parts, text[place:]]
