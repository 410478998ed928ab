"""Parts of a document that is a zip file of XML: opened, bounded, and parsed without entities.

Nothing is fetched and no entity is expanded. Knows nothing of any format.
"""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from lxml import etree

from training.texts.file_reading import MAX_DOCUMENT_BYTES, too_large
from training.texts.source_text import About, RefusedTextError
from training.texts.unpacking import ZIP_DAMAGE, is_encrypted, unreadable

_SAFE = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}
_DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
MAX_ELEMENTS = 2_000_000  # of a part: some hundred bytes each, until they are cleared


@contextmanager
def opened_zip(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """Open a zip file. Raises RefusedTextError, also for what is damaged in a part read inside."""
    try:
        with zipfile.ZipFile(file) as archive:
            yield archive
    except etree.XMLSyntaxError as error:
        raise RefusedTextError(f"cannot be read (a part of it is no XML: {error.msg})") from error
    except ZIP_DAMAGE as error:
        raise unreadable(error) from error


@contextmanager
def opened_part(archive: zipfile.ZipFile, name: str) -> Iterator[IO[bytes]]:
    """Open a part. Raises RefusedTextError where it is missing, encrypted or too large."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        raise RefusedTextError(f"cannot be read (it lacks {name})") from None
    if is_encrypted(info):
        raise RefusedTextError("is encrypted; save it without a password")
    if info.file_size > MAX_DOCUMENT_BYTES:
        raise RefusedTextError(too_large(info.file_size))
    with archive.open(info) as part:
        yield part


def elements(part: IO[bytes], tags: tuple[str, ...]) -> "Iterator[etree._Element]":
    """Parse a part, and give each element of these tags when it ends; what is given is cleared.

    Raises RefusedTextError where the part declares entities, or has too many elements.
    """
    walk = etree.iterparse(part, events=("start", "end"), **_SAFE)
    for number, (event, element) in enumerate(walk):
        if number == 0:
            _require_no_entities(element)
        if number > 2 * MAX_ELEMENTS:
            raise RefusedTextError(f"has more than {MAX_ELEMENTS:,} elements; part it")
        if event == "end" and element.tag in tags:
            yield element
            _forget(element)


def parsed(part: IO[bytes]) -> "etree._Element":
    """Parse a small part as a whole. Raises RefusedTextError where it declares entities."""
    root = etree.parse(part, etree.XMLParser(**_SAFE)).getroot()
    _require_no_entities(root)
    return root


def dublin_core(root: "etree._Element") -> About:
    """Read the title, the creator and the rights that a part names in Dublin Core's elements."""
    names = ("title", "creator", "rights")
    title, author, licence = (root.findtext(f".//{_DUBLIN_CORE}{name}") for name in names)
    return About(title, author, licence)


def _require_no_entities(element: "etree._Element") -> None:
    declared = element.getroottree().docinfo.internalDTD
    if declared is not None and next(iter(declared.iterentities()), None) is not None:
        raise RefusedTextError("declares XML entities, as no program that writes texts does")


def _forget(element: "etree._Element") -> None:
    """Free an element and those before it; its tail is kept until its parent ends."""
    element.clear(keep_tail=True)
    parent = element.getparent()
    if parent is not None:
        while parent[0] is not element:
            del parent[0]
