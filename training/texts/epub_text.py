"""Reader of .epub: the pages of a book in the order of its spine, each read as HTML.

Two blank lines stand between pages. Menus are left out. Knows nothing of documents.
"""

import posixpath
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import IO
from urllib.parse import unquote

from lxml import etree

from training.texts.file_reading import MAX_DOCUMENT_BYTES, FileReading, Sources, too_large
from training.texts.html_text import html_blocks, parsed_html
from training.texts.markup_encoding import decoded_markup
from training.texts.source_text import RefusedTextError
from training.texts.text_blocks import Block, texts_of
from training.texts.zip_parts import dublin_core, opened_part, opened_zip, parsed

_CONTAINER, _ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "text/x-oeb1-document")
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
BETWEEN_PAGES = "\n\n\n"


def read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open .epub. Raises RefusedTextError where it is damaged, encrypted or too large."""
    with opened_zip(file) as archive:
        _require_readable(archive)
        place = _package_place(archive)
        with opened_part(archive, place) as part:
            package = parsed(part)
        dropped: Counter[str] = Counter()
        names = set(archive.namelist())
        found = list(dict.fromkeys(name for name in _pages(package, place) if name in names))
        size = sum(archive.getinfo(name).file_size for name in found)
        if size > MAX_DOCUMENT_BYTES:
            raise RefusedTextError(too_large(size))
        pages = [_page(archive, name, dropped) for name in found]
    text = BETWEEN_PAGES.join(filter(None, texts_of(pages)))
    source = reading.source([text], about=dublin_core(package))
    source.dropped.update(dropped)
    yield source


def _require_readable(archive: zipfile.ZipFile) -> None:
    """Refuse a book under a lock; fonts may be obscured in one that is none."""
    if _ENCRYPTION in archive.namelist():
        with opened_part(archive, _ENCRYPTION) as part:
            methods = [m.get("Algorithm") for m in parsed(part).iter("{*}EncryptionMethod")]
        if any(method not in _FONTS for method in methods):
            raise RefusedTextError("is encrypted (DRM)")


def _package_place(archive: zipfile.ZipFile) -> str:
    with opened_part(archive, _CONTAINER) as part:
        root = next(parsed(part).iter("{*}rootfile"), None)
    if root is None or not root.get("full-path"):
        raise RefusedTextError(f"cannot be read ({_CONTAINER} names no book)")
    return str(root.get("full-path"))


def _pages(package: "etree._Element", place: str) -> Iterator[str]:
    """Name the pages of the spine by where they lie in the archive."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in _PAGES:
            continue
        if "nav" not in str(item.get("properties", "")).split():
            link = unquote(str(item.get("href", ""))).partition("#")[0]
            yield posixpath.normpath(posixpath.join(posixpath.dirname(place), link))


def _page(archive: zipfile.ZipFile, name: str, dropped: Counter[str]) -> list[Block]:
    with opened_part(archive, name) as part:
        _, text = decoded_markup(part.read(), ())
    root = parsed_html(text)
    return html_blocks(root, dropped) if root is not None else []
