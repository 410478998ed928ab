"""Streams of a .pdf as they unpack: measured before the file is read, since pdfium bounds nothing.

Pictures are left out, which are not unpacked where only text is asked for; a page that calls itself
a picture is taken at its word. Streams by other compressions than Flate, which every program writes
text with, are not looked into. Knows nothing of pages.
"""

import re
import zlib
from collections.abc import Iterable, Iterator

from training.texts.source_text import RefusedTextError
from training.texts.unpacking import Budget

MAX_STREAM_BYTES = 1 << 26  # unpacked; a page of verse has some thousands
MAX_NESTED = 4  # compressions of one stream, each of the one before
CHUNK_BYTES = 1 << 16
_STREAM = re.compile(rb"stream\r?\n")
_PICTURE = re.compile(rb"/Subtype\s*/Image")
_DICTIONARY_BYTES = 2000  # before a stream, which say what it is


def require_small_streams(raw: bytes, budget: Budget) -> None:
    """Unpack the streams of a file, and keep none. Raises RefusedTextError: one is too large."""
    for found in _STREAM.finditer(raw):
        about = raw[max(0, found.start() - _DICTIONARY_BYTES) : found.start()]
        if _PICTURE.search(about[about.rfind(b"obj") :]) is not None:
            continue
        num_bytes = 0
        for chunk in _unpacked(_chunks(raw, found.end())):
            num_bytes += len(chunk)
            budget.take_bytes(len(chunk))
            if num_bytes > MAX_STREAM_BYTES:
                raise RefusedTextError(
                    f"holds a page that unpacks to more than {MAX_STREAM_BYTES >> 20} MB, as none "
                    "of text does"
                )


def _chunks(raw: bytes, place: int) -> Iterator[bytes]:
    view = memoryview(raw)
    for start in range(place, len(raw), CHUNK_BYTES):
        yield bytes(view[start : start + CHUNK_BYTES])


def _unpacked(chunks: Iterable[bytes], depth: int = 0) -> Iterator[bytes]:
    """Unpack what begins as Flate does, as often as it does; nothing of what does not."""
    pieces = iter(chunks)
    head = next(pieces, b"")
    if not _begins_as_flate(head):
        if depth > 0:
            yield head
            yield from pieces
        return
    inner = _inflated(head, pieces)
    yield from _unpacked(inner, depth + 1) if depth + 1 < MAX_NESTED else inner


def _begins_as_flate(head: bytes) -> bool:
    return len(head) >= 2 and head[0] & 0x0F == 8 and int.from_bytes(head[:2]) % 31 == 0


def _inflated(head: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    piece: bytes | None = head
    while piece is not None and not unpacker.eof:
        try:
            yield unpacker.decompress(piece, CHUNK_BYTES)
        except zlib.error:  # damaged from here on, or no such stream at all
            return
        piece = unpacker.unconsumed_tail or next(pieces, None)
