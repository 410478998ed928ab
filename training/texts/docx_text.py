"""Reader of .docx: paragraphs, line breaks and headings of a Word document.

`w:br` inside a paragraph ends a line; what paragraphs are, training.texts.text_blocks decides.
Page breaks become form feeds. Deleted and hidden text, field codes, notes, headers and footers are
left out. Knows nothing of documents.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from typing import IO

from lxml import etree

from training.texts.file_reading import FileReading, Sources
from training.texts.source_text import About
from training.texts.text_blocks import (
    PAGE_BREAK,
    Block,
    gathered,
    text_of,
    without_spaces_at_ends,
)
from training.texts.zip_parts import dublin_core, elements, opened_part, opened_zip, parsed

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_STRICT_W = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_OFFICE_DOCUMENT = "/officeDocument"
_LEFT_OUT = frozenset(
    {"del", "moveFrom", "instrText", "delText", "pPr", "rPr", "footnoteReference"}
)
_CHARACTERS = {"tab": "\t", "cr": "\n", "noBreakHyphen": "-", "softHyphen": "", "ptab": "\t"}
BODY_LEVEL = "9"  # of an outline: no heading
MAX_STYLES_DEEP = 10  # a style made from another, and so on
_OFF = ("0", "false", "off")


def read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open .docx. Raises RefusedTextError where it is damaged, encrypted or too large."""
    with opened_zip(file) as archive:
        about = _about(archive)
        place = _main_part(archive)
        headings = _heading_styles(archive, posixpath.join(posixpath.dirname(place), "styles.xml"))
        with opened_part(archive, place) as part:
            text = text_of(gathered(_blocks(part, headings)))
    yield reading.source([text], about=about)


def _main_part(archive: zipfile.ZipFile) -> str:
    """Find where the document lies: Word's own place, or where the relations say."""
    if "word/document.xml" in archive.namelist():
        return "word/document.xml"
    with opened_part(archive, "_rels/.rels") as part:
        for relation in parsed(part):
            if str(relation.get("Type", "")).endswith(_OFFICE_DOCUMENT):
                return str(relation.get("Target", "")).lstrip("/")
    return "word/document.xml"


def _blocks(part: IO[bytes], headings: frozenset[str]) -> Iterator[Block]:
    for paragraph in elements(part, (f"{_W}p", f"{_STRICT_W}p")):
        # A text box is there twice, for programs that know it and for others.
        if next(paragraph.iterancestors(_FALLBACK), None) is not None:
            continue
        text = without_spaces_at_ends("".join(_characters(paragraph)))
        yield Block(text, _is_heading(paragraph, headings))


def _characters(paragraph: "etree._Element") -> Iterator[str]:
    walk = etree.iterwalk(paragraph, events=("start",))
    for _, element in walk:
        if not isinstance(element.tag, str):
            continue
        name = etree.QName(element).localname
        if name == "pPr" and element.find("{*}pageBreakBefore") is not None:
            yield PAGE_BREAK
        if name in _LEFT_OUT or (name == "r" and _is_hidden(element)) or element.tag == _FALLBACK:
            walk.skip_subtree()
        elif name == "t":
            yield element.text or ""
        elif name == "br":
            yield PAGE_BREAK if _value(element, "type") == "page" else "\n"
        else:
            yield _CHARACTERS.get(name, "")


def _is_hidden(run: "etree._Element") -> bool:
    vanish = run.find("{*}rPr/{*}vanish")
    return vanish is not None and _value(vanish, "val") not in _OFF


def _value(element: "etree._Element", name: str) -> str | None:
    value = element.get(f"{_W}{name}", element.get(f"{_STRICT_W}{name}"))
    return None if value is None else str(value)


def _heading_styles(archive: zipfile.ZipFile, place: str) -> frozenset[str]:
    """Find the styles of headings, and those made from them; ids are Word's own language's."""
    if place not in archive.namelist():
        return frozenset()
    with opened_part(archive, place) as part:
        styles = [style for style in parsed(part) if style.get(f"{_W}styleId")]
    bases = {str(style.get(f"{_W}styleId")): _child_value(style, "basedOn") for style in styles}
    found = {str(style.get(f"{_W}styleId")) for style in styles if _names_heading(style)}
    for _ in range(MAX_STYLES_DEEP):
        found |= {style for style, base in bases.items() if base in found}
    return frozenset(found)


def _names_heading(style: "etree._Element") -> bool:
    name = (_child_value(style, "name") or "").lower()
    return name.startswith("heading ") or name == "title"


def _is_heading(paragraph: "etree._Element", headings: frozenset[str]) -> bool:
    properties = paragraph.find("{*}pPr")
    if properties is None:
        return False
    style = _child_value(properties, "pStyle") or ""
    level = _child_value(properties, "outlineLvl")
    return (
        style in headings
        or style.lower().startswith(("heading", "title"))
        or (level is not None and level != BODY_LEVEL)
    )


def _child_value(element: "etree._Element", name: str) -> str | None:
    child = element.find(f"{{*}}{name}")
    return None if child is None else _value(child, "val")


def _about(archive: zipfile.ZipFile) -> About:
    if "docProps/core.xml" not in archive.namelist():
        return About()
    with opened_part(archive, "docProps/core.xml") as part:
        return dublin_core(parsed(part))
