"""Opening of corpus files: what is compressed is unpacked, so that every file can be read twice.

Files are plain, .gz, .xz, .bz2 or .zst. What is unpacked, and standard input, lies in memory or,
where it is larger, in a temporary file without a name, within bounds. Knows nothing of formats
and encodings.
"""

import bz2
import gzip
import lzma
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, cast

from model.regular_file import open_regular
from training.texts.source_text import RefusedTextError
from training.texts.zstd_frame import ZstdError, new_frame

STDIN = "-"
COMPRESSED = (".gz", ".xz", ".bz2", ".zst")
CHUNK_BYTES = 1 << 20
ZSTD_CHUNK_BYTES = 1 << 10  # compressed: each may become 32 MB, in memory at once
IN_MEMORY_BYTES = 1 << 23  # of one file; a larger one lies on disk
MAX_BYTES = 4 << 30  # unpacked
MAX_RATIO = 100  # of unpacked to packed bytes, beyond BOMB_BYTES; texts have about 4
BOMB_BYTES = 1 << 26
DAMAGE = (OSError, EOFError, lzma.LZMAError, zlib.error, ZstdError)


@contextmanager
def opened(name: str) -> Iterator[IO[bytes]]:
    """Open the unpacked content of a file, or of standard input, for reading and seeking.

    Raises RefusedTextError where it cannot be read, or becomes too large.
    """
    suffix = "" if name == STDIN else compression_of(name)
    with _standard_input() if name == STDIN else _plain(name) as packed:
        if name != STDIN and not suffix:
            yield packed
            return
        with unpacked(packed, suffix) as file:
            yield file


def compression_of(name: str) -> str:
    """Find the end of a name that stands for a compression, "" for none."""
    suffix = PurePath(name).suffix.lower()
    return suffix if suffix in COMPRESSED else ""


@contextmanager
def _plain(name: str) -> Iterator[IO[bytes]]:
    try:
        descriptor = open_regular(name, os.O_RDONLY)
    except OSError as error:
        raise unreadable(error) from error
    with os.fdopen(descriptor, "rb") as file:
        yield file


@contextmanager
def _standard_input() -> Iterator[IO[bytes]]:
    if sys.stdin is None:
        raise RefusedTextError("standard input is closed")
    yield sys.stdin.buffer  # not ours to close


def unpacked(packed: IO[bytes], suffix: str) -> IO[bytes]:
    """Unpack a compressed file, as the end of its name says; "" copies it.

    Raises RefusedTextError.
    """
    read_bytes = packed.tell if suffix else None
    try:
        return spooled(_chunks(packed, suffix), read_bytes)
    except DAMAGE as error:
        raise unreadable(error) from error


def spooled(chunks: Iterable[bytes], packed_bytes: Callable[[], int] | None) -> IO[bytes]:
    """Write chunks to memory or a temporary file. Raises RefusedTextError for a bomb.

    `packed_bytes` tells how many bytes they have been made of so far.
    """
    file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 # it is returned
    num_bytes = 0
    try:
        for chunk in chunks:
            num_bytes += len(chunk)
            if num_bytes > MAX_BYTES:
                raise RefusedTextError(
                    f"unpacks to more than {MAX_BYTES >> 30} GB; unpack it first"
                )
            packed = packed_bytes() if packed_bytes is not None else num_bytes
            if num_bytes > max(BOMB_BYTES, MAX_RATIO * packed):
                raise RefusedTextError(
                    f"unpacks to more than {MAX_RATIO} times its size, as no text does"
                )
            file.write(chunk)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return cast("IO[bytes]", file)


def unreadable(error: Exception) -> RefusedTextError:
    """Build the refusal of a file that cannot be read, with the reason in short."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return RefusedTextError(f"cannot be read ({reason})")


def _chunks(packed: IO[bytes], suffix: str) -> Iterator[bytes]:
    match suffix:
        case ".gz":
            return chunks_of(cast("IO[bytes]", gzip.GzipFile(fileobj=packed)))
        case ".xz":
            return chunks_of(cast("IO[bytes]", lzma.LZMAFile(packed)))
        case ".bz2":
            return chunks_of(cast("IO[bytes]", bz2.BZ2File(packed)))
        case ".zst":
            return _unzstd(iter(lambda: packed.read(ZSTD_CHUNK_BYTES), b""))
        case _:
            return chunks_of(packed)


def chunks_of(file: IO[bytes]) -> Iterator[bytes]:
    """Read an open file in pieces, none of them empty."""
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def _unzstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress all frames of a .zst file, in pieces.

    Frame by frame: `zstandard.open` would end with the first one, and take a file cut short for a
    whole one.
    """
    frame = new_frame()
    is_whole = True
    for chunk in chunks:
        compressed = chunk
        while compressed:
            if text := frame.decompress(compressed):
                yield text
            is_whole, compressed = frame.eof, frame.unused_data
            if is_whole:
                frame = new_frame()
    if not is_whole:
        raise EOFError("the compressed data ends too soon")
