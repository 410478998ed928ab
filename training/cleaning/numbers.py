"""Numbers of pages and of lines, which editions print beside verse.

A number that heads a stanza or a poem looks the same, so what is cut must count as pages or lines
do. Roman numerals head poems and stay, except in `[Pg xii]`. Knows nothing of files.
"""

import re
from itertools import pairwise

from training.cleaning.blocks import is_closed, split_blocks, without_blocks
from training.cleaning.cuts import Cuts

_DIGIT_END = re.compile(r"[ \t]\d{1,4}[ \t]*$", re.MULTILINE)
_DIGITS = "0123456789"
_SURE_PAGE = re.compile(
    r"[-–—][ \t]*\d{1,4}[ \t]*[-–—]|\{(?:p(?:g|age)?\.? ?)?\d{1,4}\}"
    r"|[\[(]?(?:p|pg|page)\.? ?\d{1,4}[\])]?|\[\d{1,4}\]",
    re.IGNORECASE,
)
_BARE_PAGE = re.compile(r"\d{1,4}")
LINE_TOLERANCE = 2  # lines that an edition counts otherwise: half lines, headings
PAGE_LINES = range(12, 90)
FEWEST_PAGES = 4
MOST_DIGITS = 4
MAX_PAGE_NUMBER = 100  # characters of a block that may be one


def cut_line_numbers(text: str, cuts: Cuts) -> str:
    """Cut numbers at the ends of lines where they count lines: 5, 10, 15 five lines apart."""
    if not _has_digit(text) or _DIGIT_END.search(text) is None:
        return text
    lines = text.split("\n")
    found = []  # place in lines, number of the line, number that stands there
    number = 0
    for place, line in enumerate(lines):
        number += line != ""
        if not line.rstrip()[-1:].isdigit():
            continue
        head, said = _last_number(line)
        if said is not None and head != "":
            found.append((place, number, said))
    counting: set[int] = set()
    for (place, line_number, said), (next_place, next_number, next_said) in pairwise(found):
        step = next_said - said
        if 2 <= step <= 25 and abs(step - (next_number - line_number)) <= LINE_TOLERANCE:
            counting |= {place, next_place}
    for place in sorted(counting):
        head, _ = _last_number(lines[place])
        cuts.add("line-numbers", lines[place][len(head) :])
        lines[place] = head
    return "\n".join(lines) if counting else text


def _has_digit(text: str) -> bool:
    return any(digit in text for digit in _DIGITS)  # faster than a pattern


def _last_number(line: str) -> tuple[str, int | None]:
    """Split a line before the number at its end; None where there is none."""
    head, _, last = line.rstrip().replace("\t", " ").rpartition(" ")
    if not (last.isascii() and last.isdigit() and len(last) <= MOST_DIGITS):
        return line, None
    return line[: len(head.rstrip())], int(last)


def cut_page_numbers(text: str, cuts: Cuts) -> str:
    """Cut lines that are page numbers: `[Pg 12]`, `- 12 -`, `Page 12`, and bare ones that count.

    Bare numbers are pages where they rise by one or two, come as often as pages do, and some
    of them stand within a sentence; those that head stanzas or poems stand behind its end.
    """
    if not _has_digit(text):
        return text
    blocks = split_blocks(text)
    short = {at: block.strip() for at, block in enumerate(blocks) if len(block) < MAX_PAGE_NUMBER}
    dropped = {at for at, block in short.items() if _SURE_PAGE.fullmatch(block)}
    bare = [at for at, block in short.items() if _BARE_PAGE.fullmatch(block)]
    if _count_pages(blocks, bare):
        dropped |= set(bare)
    for number in sorted(dropped):
        cuts.add("page-numbers", blocks[number])
    return without_blocks(text, dropped)


def _count_pages(blocks: list[str], bare: list[int]) -> bool:
    if len(bare) < FEWEST_PAGES:
        return False
    numbers = [int(blocks[at]) for at in bare]
    rising = sum(1 <= b - a <= 2 for a, b in pairwise(numbers))
    if rising < 0.9 * (len(numbers) - 1):
        return False
    lines = [sum(block.count("\n") + 1 for block in blocks[a + 1 : b]) for a, b in pairwise(bare)]
    as_often = sum(count in PAGE_LINES for count in lines) >= 0.8 * len(lines)
    open_ends = sum(at > 0 and not is_closed(blocks[at - 1]) for at in bare)
    all_ends = [line for block in blocks for line in block.split("\n")]
    open_share = sum(not is_closed(line) for line in all_ends) / len(all_ends)
    return as_often and open_share < 0.6 and open_ends >= 0.15 * len(bare)
