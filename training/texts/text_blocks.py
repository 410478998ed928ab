"""Blocks of a formatted document (paragraphs, headings, rules) become lines and stanzas of a text.

A paragraph is a stanza in some documents and a line in others. Which, is decided by what the
document shows: where paragraphs of several lines follow one another, they are stanzas; where
those of one line do, they are lines, and empty ones part stanzas. Knows nothing of formats.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise

from training.texts.source_text import RefusedTextError

RULE = "---"
BEFORE_HEADING, AFTER_HEADING = 2, 1  # blank lines, at least; two part documents
PAGE_BREAK = "\f"
MAX_BLOCKS = 1_000_000


@dataclass(slots=True)
class Block:
    """Block of a document: a paragraph or a heading.

    `gap` is how many blank lines stand before it at least; a text of no characters is an empty
    line of the document itself.
    """

    text: str
    is_heading: bool = False
    gap: int = 0


def gathered(blocks: Iterable[Block]) -> list[Block]:
    """Gather the blocks of a document. Raises RefusedTextError where they are too many."""
    found = list(islice(blocks, MAX_BLOCKS + 1))
    if len(found) > MAX_BLOCKS:
        raise RefusedTextError(f"has more than {MAX_BLOCKS:,} paragraphs; part it")
    return found


def without_spaces_at_ends(paragraph: str) -> str:
    """Take the spaces off the ends of a paragraph's lines, and empty lines off both its ends."""
    return "\n".join(line.rstrip(" \t") for line in paragraph.split("\n")).strip("\n")


def text_of(blocks: Sequence[Block]) -> str:
    """Join blocks to a text, in which paragraphs are stanzas or lines as the document shows.

    Spaces at the ends of lines go; hard ones at the beginning are spaces as any others.
    """
    (text,) = texts_of([blocks])
    return text


def texts_of(pages: Sequence[Sequence[Block]]) -> list[str]:
    """Join the blocks of each page of a document, all of whose paragraphs are of one kind."""
    for page in pages:
        for block in page:
            block.text = "\n".join(map(_tidied, block.text.split("\n")))
            if not block.text.strip("\n"):
                block.text = ""
    blank_between = 1 if _are_stanzas(pages) else 0
    return ["".join(_pieces(page, blank_between)) for page in pages]


def _tidied(line: str) -> str:
    text = line.lstrip(" \u00a0")
    return " " * (len(line) - len(text)) + text.rstrip(" \t\u00a0") if text else ""


def _pieces(blocks: Sequence[Block], blank_between: int) -> Iterator[str]:
    blank = 0  # lines since the last block
    last: Block | None = None
    for block in blocks:
        if not block.text:
            blank += 1
            continue
        if last is not None:
            least = max(block.gap, _least_gap(last, block))
            yield "\n" * (1 + max(least, blank + blank_between if least == 0 else blank))
        yield block.text
        last, blank = block, 0


def _least_gap(last: Block, block: Block) -> int:
    if block.is_heading:
        return AFTER_HEADING if last.is_heading else BEFORE_HEADING
    return AFTER_HEADING if last.is_heading else 0


def _are_stanzas(pages: Sequence[Sequence[Block]]) -> bool:
    """Check what paragraphs that follow one another are: mostly of several lines, or of one."""
    stanzas = mixed = lines = 0
    for last, block in chain.from_iterable(map(pairwise, pages)):
        if block.gap or last.is_heading or block.is_heading or not (last.text and block.text):
            continue
        several = ("\n" in last.text) + ("\n" in block.text)
        stanzas += several == 2
        mixed += several == 1
        lines += several == 0
    return stanzas >= lines and stanzas + (mixed if lines == 0 else 0) > 0
