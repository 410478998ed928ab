"""Reader of .pdf with a text layer, by pypdfium2: lines, headings, and stanzas by distances.

A distance well above that of neighbouring lines is a blank line, or several; larger letters are a
heading; a page that ends early ends with a form feed. Indents are not kept. A file whose pages
hold no text (a scan) is refused. Knows nothing of documents.
"""

import ctypes
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import IO

import pypdfium2
from pypdfium2 import raw as pdfium

from model.count_in_words import counted
from training.texts.file_reading import FileReading, Sources, read_whole
from training.texts.pdf_streams import require_small_streams
from training.texts.source_text import About, RefusedTextError
from training.texts.text_blocks import PAGE_BREAK, Block, text_of

MAX_PAGES = 20_000
GAP_PERCENT = 130  # of the distance of neighbouring lines: from here on lines are blank
MAX_BLANK_LINES = 3
HEADING_PERCENT = 115  # of the commonest size of letters
EARLY_PERCENT = 20  # of a page's height, that it leaves empty below the lowest line of all pages


@dataclass(slots=True)
class _Line:
    """Line of a page: its baseline and the size of its first letter, in tenths of points."""

    text: str
    baseline: int
    size: int


def read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open .pdf. Raises RefusedTextError: damaged, encrypted, a scan, or too large."""
    raw = read_whole(file)
    require_small_streams(raw, reading.budget)
    try:
        document = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as error:
        raise _refusal(error) from error
    try:
        pages = _pages(document)
        facts = document.get_metadata_dict()
    except pypdfium2.PdfiumError as error:
        raise _refusal(error) from error
    finally:
        document.close()
    if not any(lines for lines, _ in pages):
        raise RefusedTextError(
            f"has no text on its {counted(len(pages), 'page')}: a scan; recognise it first"
        )
    about = About(facts.get("Title") or None, facts.get("Author") or None)
    yield reading.source([text_of(_blocks(pages))], about=about)


def _refusal(error: Exception) -> RefusedTextError:
    if "password" in str(error).lower() or "security" in str(error).lower():
        return RefusedTextError("is encrypted; save it without a password")
    return RefusedTextError("cannot be read (it is damaged, or cut short)")


def _pages(document: pypdfium2.PdfDocument) -> list[tuple[list[_Line], int]]:
    """Read each page: its lines, and its height in tenths of points."""
    if len(document) > MAX_PAGES:
        raise RefusedTextError(f"has {len(document):,} pages, at most {MAX_PAGES:,} are read")
    return [_page(document, number) for number in range(len(document))]


def _page(document: pypdfium2.PdfDocument, number: int) -> tuple[list[_Line], int]:
    page = document[number]
    text_page = page.get_textpage()
    try:
        return list(_lines(text_page)), round(10 * page.get_height())
    finally:
        text_page.close()
        page.close()


def _lines(text_page: pypdfium2.PdfTextPage) -> Iterator[_Line]:
    characters: list[int] = []
    first = 0
    for at in range(text_page.count_chars()):
        character = pdfium.FPDFText_GetUnicode(text_page, at)
        if character in (10, 13):
            if characters:
                yield _line(text_page, characters, first)
            characters = []
        elif characters or character not in (0, 32, 0xA0):
            if not characters:
                first = at
            characters.append(character)
    if characters:
        yield _line(text_page, characters, first)


def _line(text_page: pypdfium2.PdfTextPage, characters: Sequence[int], first: int) -> _Line:
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(text_page, first, x, y)
    size = pdfium.FPDFText_GetFontSize(text_page, first)
    halves = "".join(map(chr, characters)).encode("utf-16-le", "surrogatepass")
    text = halves.decode("utf-16-le", "replace").rstrip()
    return _Line(text, round(10 * y.value), round(10 * size))


def _blocks(pages: Sequence[tuple[list[_Line], int]]) -> list[Block]:
    leading, size = _commonest_distance(pages), _commonest_size(pages)
    lowest = min(line.baseline for lines, _ in pages for line in lines)
    blocks: list[Block] = []
    for lines, height in pages:
        last: _Line | None = None
        for line in lines:
            gap = 0 if last is None else _blank_lines(last.baseline - line.baseline, leading)
            is_heading = 100 * line.size >= HEADING_PERCENT * size and size > 0
            blocks.append(Block(line.text, is_heading, gap))
            last = line
        if last is not None and 100 * (last.baseline - lowest) > EARLY_PERCENT * height:
            blocks.append(Block(PAGE_BREAK))
    if blocks and blocks[-1].text == PAGE_BREAK:
        blocks.pop()
    return blocks


def _blank_lines(distance: int, leading: int) -> int:
    if distance < 0:  # upward: another column
        return 1
    if leading == 0 or 100 * distance < GAP_PERCENT * leading:
        return 0
    return min(MAX_BLANK_LINES, max(1, (2 * distance + leading) // (2 * leading) - 1))


def _commonest_distance(pages: Sequence[tuple[list[_Line], int]]) -> int:
    """Find the distance of neighbouring lines: the least of those that are common."""
    counts = Counter(
        last.baseline - line.baseline
        for lines, _ in pages
        for last, line in pairwise(lines)
        if last.baseline > line.baseline and last.size == line.size
    )
    most = max(counts.values(), default=0)
    return min((distance for distance, n in counts.items() if 3 * n >= most), default=0)


def _commonest_size(pages: Sequence[tuple[list[_Line], int]]) -> int:
    counts: Counter[int] = Counter()
    for lines, _ in pages:
        for line in lines:
            counts[line.size] += len(line.text)
    return max(counts, key=lambda size: (counts[size], size), default=0)
