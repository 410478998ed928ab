"""Reader of .odt: paragraphs, line breaks and headings of an OpenDocument text.

`text:line-break` ends a line; what paragraphs are, training.texts.text_blocks decides. Notes,
comments and recorded deletions are left out. Knows nothing of documents.
"""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

from lxml import etree

from training.texts.file_reading import FileReading, Sources
from training.texts.source_text import About, RefusedTextError
from training.texts.text_blocks import (
    PAGE_BREAK,
    Block,
    gathered,
    text_of,
    without_spaces_at_ends,
)
from training.texts.zip_parts import dublin_core, elements, opened_part, opened_zip, parsed

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"
_PARAGRAPHS = (f"{_TEXT}p", f"{_TEXT}h")
_CHARACTERS = {f"{_TEXT}line-break": "\n", f"{_TEXT}tab": "\t"}
_BREAKING_STYLE = f"{_STYLE}style"
_LEFT_OUT = (f"{_TEXT}note", f"{_OFFICE}annotation", f"{_TEXT}tracked-changes", f"{_TEXT}ruby-text")
_WHITE = re.compile("[ \t\r\n]+")
MAX_SPACES = 1000  # of one element that stands for several


def read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open .odt. Raises RefusedTextError where it is damaged, encrypted or too large."""
    with opened_zip(file) as archive:
        _require_readable(archive)
        about = _about(archive)
        with opened_part(archive, "content.xml") as part:
            text = text_of(gathered(_blocks(part)))
    yield reading.source([text], about=about)


def _require_readable(archive: zipfile.ZipFile) -> None:
    if "META-INF/manifest.xml" in archive.namelist():
        with opened_part(archive, "META-INF/manifest.xml") as part:
            if next(parsed(part).iter("{*}encryption-data"), None) is not None:
                raise RefusedTextError("is encrypted; save it without a password")


def _blocks(part: IO[bytes]) -> Iterator[Block]:
    breaking: set[str] = set()
    for element in elements(part, (*_PARAGRAPHS, _BREAKING_STYLE)):
        style = str(element.get(f"{_TEXT}style-name", ""))
        if element.tag == _BREAKING_STYLE:
            properties = element.find(f"{_STYLE}paragraph-properties")
            if properties is not None and properties.get(f"{_FO}break-before") == "page":
                breaking.add(str(element.get(f"{_STYLE}name", "")))
        elif next(element.iterancestors(*_LEFT_OUT), None) is None:
            page = PAGE_BREAK if style in breaking else ""
            text = without_spaces_at_ends("".join(_characters(element)))
            is_heading = element.tag == f"{_TEXT}h" or style == "Title"
            yield Block(page + text, is_heading)


def _characters(paragraph: "etree._Element") -> Iterator[str]:
    """Read the characters of a paragraph; runs of white space are one space, as the format says."""
    walk = etree.iterwalk(paragraph, events=("start", "end"))
    for event, element in walk:
        if event == "start":
            is_inside = element.tag in _PARAGRAPHS and element is not paragraph
            if is_inside or element.tag in _LEFT_OUT:
                walk.skip_subtree()
            else:
                yield _stands_for(element)
                yield _collapsed(element.text)
        elif element is not paragraph:
            yield _collapsed(element.tail)


def _stands_for(element: "etree._Element") -> str:
    if element.tag == f"{_TEXT}s":
        count = str(element.get(f"{_TEXT}c", "1"))
        return " " * min(int(count) if count.isdecimal() else 1, MAX_SPACES)
    return _CHARACTERS.get(str(element.tag), "")


def _collapsed(text: str | None) -> str:
    return _WHITE.sub(" ", text) if text else ""


def _about(archive: zipfile.ZipFile) -> About:
    if "meta.xml" not in archive.namelist():
        return About()
    with opened_part(archive, "meta.xml") as part:
        root = parsed(part)
    about = dublin_core(root)
    return replace(about, author=about.author or root.findtext(f".//{_META}initial-creator"))
