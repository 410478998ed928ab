"""Corpus files become documents: decompressed, decoded, normalised, split, never all in memory.

Files are plain, .gz, .xz or .zst, in UTF-8; a byte order mark is dropped, CRLF becomes LF and
text becomes NFC. The end of a file always ends a document.
Knows nothing of vocabularies, ids and splits.
"""

import codecs
import glob
import gzip
import hashlib
import io
import lzma
import sys
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Literal, cast

import zstandard

from training.errors import CorpusError

SplitKind = Literal["documents", "contiguous"]

STDIN = "-"
CHUNK_BYTES = 1 << 20
_GLOB_CHARACTERS = "*?["


def expand(names: Sequence[str]) -> list[str]:
    """The files that names, folders, glob patterns and `-` (standard input) stand for, in order.

    A folder stands for every file in it and below, hidden ones left out, sorted by path.
    Raises CorpusError for a name that stands for nothing.
    """
    files = [file for name in names for file in _expand_one(name)]
    if not files:
        raise CorpusError("no corpus was named")
    return list(dict.fromkeys(files))


def _expand_one(name: str) -> list[str]:
    path = Path(name)
    if name == STDIN or path.is_file():
        return [name]
    if path.is_dir():
        found = [str(file) for file in sorted(path.rglob("*")) if _is_visible_file(file, path)]
        if not found:
            raise CorpusError(f"{name}: the folder holds no files")
        return found
    if any(character in name for character in _GLOB_CHARACTERS):
        # Path.glob would refuse absolute patterns.
        matches = glob.glob(name, recursive=True)  # noqa: PTH207
        found = sorted(file for file in matches if Path(file).is_file())
        if found:
            return found
        raise CorpusError(f"{name}: no file matches this pattern")
    raise CorpusError(f"{name}: no such file or folder")


def _is_visible_file(file: Path, below: Path) -> bool:
    parts = file.relative_to(below).parts
    return file.is_file() and not any(part.startswith(".") for part in parts)


def file_digest(name: str) -> str | None:
    """The SHA-256 of a file's bytes as they lie on disk; None for standard input."""
    if name == STDIN:
        return None
    try:
        with Path(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(name, error) from error


def read_texts(name: str, split: SplitKind, separator: str) -> Iterator[str]:
    """The documents of one file, or the pieces of its text where it has no documents."""
    return read_documents(name, separator) if split == "documents" else read_segments(name)


def read_documents(name: str, separator: str) -> Iterator[str]:
    """The documents of one file, without the line ends around them; empty ones are left out."""
    rest = ""
    for text in _decoded(name):
        *whole, rest = (rest + text).split(separator)
        for document in whole:
            yield from _clean(document)
    yield from _clean(rest)


def _clean(document: str) -> Iterator[str]:
    document = unicodedata.normalize("NFC", document.strip("\n"))
    if document.strip():
        yield document


def read_segments(name: str) -> Iterator[str]:
    """The text of one file as it is, in pieces of about a million characters cut at line ends."""
    rest = ""
    for text in _decoded(name):
        head, newline, tail = (rest + text).rpartition("\n")
        if head:
            yield unicodedata.normalize("NFC", head + newline)
        rest = tail if head else head + newline + tail
    if rest:
        yield unicodedata.normalize("NFC", rest)


def _decoded(name: str) -> Iterator[str]:
    """The text of one file in pieces, decoded and with LF line ends."""
    try:
        with _open_bytes(name) as file:
            yield from _decode_chunks(name, file)
    except (OSError, EOFError, lzma.LZMAError, zlib.error, zstandard.ZstdError) as error:
        raise _unreadable(name, error) from error


def _decode_chunks(name: str, file: IO[bytes]) -> Iterator[str]:
    utf8 = codecs.getincrementaldecoder("utf-8")("strict")
    lines = io.IncrementalNewlineDecoder(utf8, translate=True)
    offset = 0
    is_first = True
    while True:
        chunk = file.read(CHUNK_BYTES)
        pending = len(utf8.getstate()[0])
        try:
            text = lines.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            at = offset - pending + error.start
            raise CorpusError(
                f"{name}: not UTF-8 at byte {at}; convert it, for example with iconv -t utf-8"
            ) from error
        offset += len(chunk)
        yield text.removeprefix("\ufeff") if is_first else text
        is_first = is_first and not text
        if not chunk:
            return


def _open_bytes(name: str) -> IO[bytes]:
    if name == STDIN:
        return sys.stdin.buffer
    match Path(name).suffix:
        case ".gz":
            return cast("IO[bytes]", gzip.open(name, "rb"))
        case ".xz":
            return cast("IO[bytes]", lzma.open(name, "rb"))
        case ".zst":
            return cast("IO[bytes]", zstandard.open(name, "rb"))
        case _:
            return Path(name).open("rb")


def _unreadable(name: str, error: Exception) -> CorpusError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return CorpusError(f"{name}: cannot be read ({reason})")
