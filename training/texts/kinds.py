"""Kinds of files: told by the first bytes where these are sure, else by the name.

A file that is something else than its name says is read as what it is. Knows nothing of how a
kind is read.
"""

import re
import zipfile
from pathlib import PurePosixPath
from typing import IO

from training.texts.unpacking import ZIP_DAMAGE, compression_of

BY_NAME = {
    ".txt": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".docx": "docx",
    ".odt": "odt",
    ".rtf": "rtf",
    ".epub": "epub",
    ".pdf": "pdf",
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".zip": "zip",
    ".tar": "tar",
    ".tgz": "tar",
    ".tbz2": "tar",
    ".txz": "tar",
}
"""Kinds that are read otherwise than as plain text, by the end of the name."""

# Told by their first bytes, whatever the name says.
_MAGIC = (
    (b"%PDF-", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"PAR1", "parquet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old office"),
    (b"\xff\xd8\xff", "picture"),
    (b"\x89PNG\r\n\x1a\n", "picture"),
    (b"GIF8", "picture"),
    (b"II*\x00", "picture"),
    (b"MM\x00*", "picture"),
    (b"RIFF", "picture or sound"),
    (b"ID3", "sound"),
    (b"OggS", "sound"),
    (b"fLaC", "sound"),
    (b"\x7fELF", "program"),
    (b"MZ\x90\x00", "program"),
    (b"SQLite format 3\x00", "database"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
)
WITHOUT_TEXT = {
    "old office": "is of an old office program, such as Word 97; save it as .docx",
    "picture": "is a picture",
    "picture or sound": "is a picture or a sound",
    "sound": "is a sound",
    "film": "is a film",
    "program": "is a program",
    "database": "is a database; write the texts to a .csv",
    "7z": "is a 7z archive; make a .zip of it",
    "rar": "is a rar archive; make a .zip of it",
    "leftover": "is left by a system or a program",
}
"""Why a kind gives no text."""

EXPECTED = frozenset({"picture", "picture or sound", "sound", "film", "leftover"})
"""Kinds without text that lie among texts everywhere."""

_LEFTOVER = re.compile(
    r"(^|/)(__MACOSX/|\.DS_Store$|\._|Thumbs\.db$|desktop\.ini$|~\$[^/]*$|\.~lock\.[^/]*$|Icon\r$)",
    re.IGNORECASE,
)
_HTML = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]{0,200}\?>\s*)?(<!--.{0,2000}?-->\s*)?(<!doctype\s+html|<html[\s>])",
    re.IGNORECASE | re.DOTALL,
)
HEAD_BYTES = 4096
TEXTUAL = frozenset({"text", "markdown", "html", "csv", "tsv", "json", "jsonl"})
_TAR_MAGIC_AT = 257
_MEMBER_OF = {"word/document.xml": "docx", "META-INF/container.xml": "epub", "content.xml": "odt"}


def is_leftover(name: str) -> bool:
    """Check whether a file is what systems and programs leave behind beside texts."""
    return _LEFTOVER.search(name) is not None


def kind_by_name(name: str) -> str:
    """Find the kind that a name stands for, behind what compresses it."""
    return BY_NAME.get(_suffix(name), "text")


def _suffix(name: str) -> str:
    path = PurePosixPath(name)
    is_compressed = compression_of(name) and path.suffix.lower() not in BY_NAME
    return (PurePosixPath(path.stem) if is_compressed else path).suffix.lower()


def kind_of(file: IO[bytes], name: str) -> str:
    """Find the kind of an open file, by its first bytes or else by its name."""
    named = kind_by_name(name)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if (certain := _kind_by_bytes(file, head, named)) is not None:
        return certain
    if (named == "text" or named not in TEXTUAL) and _HTML.match(head):
        return "html"
    # What lacks the bytes of its kind is a text that bears another name.
    return named if named in TEXTUAL else "text"


def _kind_by_bytes(file: IO[bytes], head: bytes, named: str) -> str | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(file) or (named if named in _MEMBER_OF.values() else "zip")
    if head[_TAR_MAGIC_AT : _TAR_MAGIC_AT + 5] == b"ustar":
        return "tar"
    if head[4:8] == b"ftyp":
        return "film"
    return next((kind for start, kind in _MAGIC if head.startswith(start)), None)


def _kind_of_zip(file: IO[bytes]) -> str | None:
    """Find which document a zip file is, by a member; None: an archive, or damaged."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
    except ZIP_DAMAGE:
        return None  # its reader says what is wrong
    return next((kind for member, kind in _MEMBER_OF.items() if member in names), None)
