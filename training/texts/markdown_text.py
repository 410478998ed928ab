"""Reader of Markdown, by markdown-it-py: lines, stanzas and headings, without the marks.

Every line end is a line end of the verse, whether two spaces or a backslash stand before it or
nothing. Of Markdown's rules those hold that a poem is not likely to break by chance: `#` headings,
emphasis, quotes, links, code fences, rules, HTML and, at the beginning, front matter (title,
author, licence). Hyphens and numbers at the beginning of a line stay, and so do indents. Knows
nothing of documents.
"""

import re
from collections.abc import Iterator, Sequence
from typing import IO

from markdown_it import MarkdownIt
from markdown_it.token import Token

from training.texts.file_reading import FileReading, Sources
from training.texts.source_text import About
from training.texts.text_blocks import RULE, Block, text_of
from training.texts.text_encoding import decoded
from training.texts.unpacking import size_of

# Lists, indented code and underlined headings would take the beginnings and ends of verses.
_OFF = ["list", "code", "lheading", "reference", "table"]
_FRONT_MATTER = re.compile(r"\s*---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(
    r"^(title|author|licen[cs]e|rights|copyright)[ \t]*:[ \t]*(.+?)[ \t]*$", re.I | re.M
)
_CARRIAGE_RETURN = re.compile("\r\n?")
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_LINE_BLOCK = re.compile(
    r"^\| ?(?!.*\|[ \t]*$)", re.MULTILINE
)  # Pandoc's; a table's row ends so, too
_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_MARK = re.compile(r"[\[\]*_<`&!]")
MAX_BYTES, MAX_LINES = 1 << 23, 300_000  # what it is parsed to takes a kilobyte a line
MIN_MARKS = 1000
_HARD_SPACE = "\u00a0"


def read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open Markdown file. Raises RefusedTextError as for plain text."""
    num_bytes = size_of(file)
    encoding, pieces = decoded(file, reading.options.encoding)
    text = "".join(pieces)
    if num_bytes > MAX_BYTES or text.count("\n") > MAX_LINES or _is_full_of_marks(text):
        yield reading.with_notes("read as plain text").source([text], encoding=encoding)
        return
    about, text = About(), _CARRIAGE_RETURN.sub("\n", text)
    if (match := _FRONT_MATTER.match(text)) is not None:
        about, text = _about(match[1]), text[match.end() :]
    yield reading.source([markdown_to_text(text)], encoding=encoding, about=about)


def _is_full_of_marks(text: str) -> bool:
    """Check for what is no verse: marks, that Markdown would take hours to match."""
    return len(_MARK.findall(text)) > max(MIN_MARKS, len(text) // 10)


def _about(front_matter: str) -> About:
    fields = {name.lower(): value.strip("\"' ") for name, value in _FIELD.findall(front_matter)}
    rights = (fields.get(name) for name in ("licence", "license", "rights", "copyright"))
    licence = next((each for each in rights if each), None)
    return About(fields.get("title") or None, fields.get("author") or None, licence)


def markdown_to_text(text: str) -> str:
    """Take the marks off a Markdown text."""
    # Markdown drops the spaces that begin a line, so they are written as ones that it keeps.
    verse = _LINE_BLOCK.sub("", text)
    kept = _INDENT.sub(lambda match: _HARD_SPACE * len(match[0].expandtabs(4)), verse)
    parser = MarkdownIt("commonmark", {"html": True}).disable(_OFF)
    return text_of(list(_blocks(parser.parse(kept))))


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    is_heading = False
    for token in tokens:
        match token.type:
            case "heading_open":
                is_heading = True
            case "inline":
                text = "".join(_characters(token.children or ()))
                yield Block(_tidied(text), is_heading, 1)
                is_heading = False
            case "fence" | "code_block":
                yield Block(_tidied(token.content.rstrip("\n")), gap=1)
            case "html_block":
                text = re.sub("<[^<>]*>", "", _LINE_BREAK_TAG.sub("\n", token.content))
                yield Block(_tidied(text.strip("\n")), gap=1)
            case "hr":
                yield Block(RULE, gap=1)


def _characters(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        match token.type:
            case "text" | "code_inline":
                yield token.content
            case "softbreak" | "hardbreak":
                yield "\n"
            case "html_inline":
                yield "\n" if _LINE_BREAK_TAG.fullmatch(token.content) else ""
            case "image":
                yield ""


def _tidied(text: str) -> str:
    lines = (line.replace(_HARD_SPACE, " ").rstrip() for line in text.split("\n"))
    return "\n".join(lines)
