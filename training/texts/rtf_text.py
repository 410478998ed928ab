r"""Reader of .rtf, by striprtf: paragraphs, line breaks and headings.

`\line` ends a line; what paragraphs are, training.texts.text_blocks decides. Page breaks become
form feeds. Knows nothing of documents.
"""

import re
from typing import IO

from striprtf.striprtf import font_table_group, rtf_to_text

from training.texts.file_reading import FileReading, Sources, read_whole, too_large
from training.texts.source_text import About, RefusedTextError
from training.texts.text_blocks import PAGE_BREAK, Block, gathered, text_of

_INFO = re.compile(r"\{\\(title|author) ([^{}\\]*)\}")
# striprtf makes one line end of all; so what differs is marked by characters of private use.
_LINE, _PAGE, _HEADING = "\ue000", "\ue001", "\ue002"
_MARKS = {"line": _LINE, "page": _PAGE, "outlinelevel": _HEADING, "s": _HEADING}
_MARKED = r"\\\\|\\(line|page|outlinelevel)(?:[0-8])?(?![a-zA-Z0-9]) ?"
_HEADING_STYLE = re.compile(r"\{\\s(\d+)\\[^{};]*(?:heading \d|title|headline \d);", re.IGNORECASE)
_INSTRUCTION = re.compile(r"\\fldinst", re.IGNORECASE)
MAX_FONT_TABLE, MAX_FONT = 1 << 18, 2000  # characters of all fonts, and of one
_HEX = re.compile(rb"[0-9a-fA-F\r\n]{64}[0-9a-fA-F\r\n]*")
LEAST_PICTURE = 2000  # digits of a picture: no text is so long without a space
MAX_RTF_BYTES = 1 << 24  # beside its pictures: striprtf takes twelve times as much memory
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


def read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open .rtf. Raises RefusedTextError where it is damaged or too large."""
    raw = _without_pictures(read_whole(file)).decode("latin-1")
    _require_end(raw)
    try:
        marked = _marked(raw)
        text = str(rtf_to_text(marked, "cp1252", "replace"))  # type: ignore[no-untyped-call]
    except (ValueError, OverflowError, LookupError) as error:
        raise RefusedTextError(f"cannot be read ({error})") from error
    facts = dict(_INFO.findall(raw))
    about = About(facts.get("title", "").strip() or None, facts.get("author", "").strip() or None)
    blocks = gathered(_block(match[0]) for match in re.finditer("[^\n]*\n?", _whole(text)))
    yield reading.source([text_of(blocks)], about=about)


def _without_pictures(raw: bytes) -> bytes:
    """Leave out the digits of pictures. Raises RefusedTextError: too large without them."""
    text = _HEX.sub(lambda run: b"" if len(run[0]) >= LEAST_PICTURE else run[0], raw)
    if len(text) > MAX_RTF_BYTES:
        raise RefusedTextError(too_large(len(text), MAX_RTF_BYTES))
    return text


def _marked(raw: str) -> str:
    """Write what is to be told apart as characters: line breaks, page breaks, headings."""
    for word in ("listtext", "pntext"):  # numbers and bullets, which a program made
        raw = raw.replace(f"{{\\{word}", f"{{\\*\\{word}")
    raw = _with_fonts_in_lines(raw)
    # An instruction is dropped with its group; striprtf would search for the address in it, in time
    # of the cube of a line.
    raw = _INSTRUCTION.sub(r"\\fldinst\n", raw)
    styles = "|".join(sorted(set(_HEADING_STYLE.findall(raw))))
    headings = rf"|\\(s)(?:{styles})(?![a-zA-Z0-9]) ?" if styles else ""
    return re.sub(_MARKED + headings, _mark, raw)


def _mark(match: re.Match[str]) -> str:
    word = next((each for each in match.groups() if each is not None), None)
    return match[0] if word is None else f"\\u{ord(_MARKS[word])}?"


def _require_end(raw: str) -> None:
    """Refuse a file that was cut short: striprtf would give its beginning."""
    if "\\bin" in raw:  # what follows may hold any byte
        return
    braces = [match[0] for match in _BRACE.finditer(raw)]
    if braces.count("{") > braces.count("}"):
        raise RefusedTextError("cannot be read (it ends too soon)")


def _with_fonts_in_lines(raw: str) -> str:
    """Put each font of the table into a line, beyond which striprtf does not search for its end.

    Raises RefusedTextError for a table that it would search in time of its square all the same.
    """
    table = str(font_table_group(raw))  # type: ignore[no-untyped-call]
    if len(table) > MAX_FONT_TABLE or max(map(len, table.split(";"))) > MAX_FONT:
        raise RefusedTextError("cannot be read (its table of fonts is damaged)")
    return raw.replace(table, table.replace(";", ";\n"), 1) if table else raw


def _whole(text: str) -> str:
    """Join the halves of characters that are written as two (UTF-16)."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _block(paragraph: str) -> Block:
    is_heading = _HEADING in paragraph
    text = (
        paragraph.removesuffix("\n")
        .replace(_HEADING, "")
        .replace(_PAGE, PAGE_BREAK)
        .replace(_LINE, "\n")
    )
    return Block(text, is_heading)
