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
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import IO, cast

from model.regular_file import open_regular
from training.texts.source_text import RefusedTextError
from training.texts.zstd_frame import ZstdError, new_frame

STDIN = "-"
_BY_SUFFIX = {
    ".gz": "gz",
    ".tgz": "gz",
    ".xz": "xz",
    ".txz": "xz",
    ".bz2": "bz2",
    ".tbz2": "bz2",
    ".zst": "zst",
}
CHUNK_BYTES = 1 << 20
ZSTD_CHUNK_BYTES = 1 << 10  # compressed: each may become 32 MB, in memory at once
IN_MEMORY_BYTES = 1 << 23  # of one file; a larger one lies on disk
MAX_BYTES = 4 << 30  # unpacked, of all that is in a file
MAX_MEMBERS = 100_000
MAX_RATIO = 100  # of unpacked to packed bytes, beyond BOMB_BYTES; texts have about 4
BOMB_BYTES = 1 << 26
_MAGIC = (
    (b"\x1f\x8b\x08", "gz"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh91AY&SY", "bz2"),
    (b"\x28\xb5\x2f\xfd", "zst"),
)
_PLAINER = {
    "File is not a zip file": "it is cut short: its list of members is missing",
    "Compressed file ended before the end-of-stream marker was reached": "it is cut short",
}
DAMAGE = (OSError, EOFError, lzma.LZMAError, zlib.error, ZstdError)
ZIP_DAMAGE = (*DAMAGE, zipfile.BadZipFile, ValueError, RuntimeError)
_IS_ENCRYPTED = 1  # of a zip member's flags


class Budget:
    """Bytes and members that one file, with all that is packed in it, may still become."""

    def __init__(self, packed_bytes: int) -> None:
        self._packed_bytes = packed_bytes
        self._num_bytes = self._num_members = 0

    def require(self, num_bytes: int) -> None:
        """Check that so many more bytes may be unpacked. Raises RefusedTextError."""
        total = self._num_bytes + num_bytes
        if total > MAX_BYTES:
            raise RefusedTextError(f"unpacks to more than {MAX_BYTES >> 30} GB; unpack it first")
        if total > max(BOMB_BYTES, MAX_RATIO * self._packed_bytes):
            raise RefusedTextError(
                f"unpacks to more than {MAX_RATIO} times its size, as no text does"
            )

    def take_bytes(self, num_bytes: int) -> None:
        """Count bytes that were unpacked. Raises RefusedTextError where they are too many."""
        self.require(num_bytes)
        self._num_bytes += num_bytes

    def take_member(self) -> None:
        """Count a member of an archive. Raises RefusedTextError where they are too many."""
        self._num_members += 1
        if self._num_members > MAX_MEMBERS:
            raise RefusedTextError(f"holds more than {MAX_MEMBERS:,} files; unpack it first")


@contextmanager
def opened(name: str) -> Iterator[tuple[IO[bytes], Budget]]:
    """Open a file, or standard input, unpacked where it is compressed, to read and to seek in.

    With it comes the budget of what it may become. Raises RefusedTextError where it cannot be
    read, or becomes too large.
    """
    if name == STDIN:
        with spooled(chunks_of(_standard_input()), None) as file:
            yield file, Budget(size_of(file))
    else:
        with _plain(name) as packed:
            budget = Budget(size_of(packed))
            with unpacked(packed, name, budget) as file:
                yield file, budget


def size_of(file: IO[bytes]) -> int:
    """Size of an open file in bytes; it is then at its beginning."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return size


def is_encrypted(member: zipfile.ZipInfo) -> bool:
    """Check whether a member of a zip file is encrypted."""
    return bool(member.flag_bits & _IS_ENCRYPTED)


def compression_of(name: str) -> str:
    """Find the compression that a name's end stands for, "" for none."""
    return _BY_SUFFIX.get(PurePath(name).suffix.lower(), "")


@contextmanager
def _plain(name: str) -> Iterator[IO[bytes]]:
    try:
        descriptor = open_regular(name, os.O_RDONLY)
    except OSError as error:
        raise unreadable(error) from error
    with os.fdopen(descriptor, "rb") as file:
        yield file


def _standard_input() -> IO[bytes]:
    if sys.stdin is None:
        raise RefusedTextError("standard input is closed")
    return sys.stdin.buffer  # not ours to close


@contextmanager
def unpacked(packed: IO[bytes], name: str, budget: Budget) -> Iterator[IO[bytes]]:
    """Unpack an open file where its name, or its first bytes, say that it is compressed.

    Raises RefusedTextError.
    """
    head = packed.read(10)
    packed.seek(0)
    by_bytes = (kind for start, kind in _MAGIC if head.startswith(start))
    compression = compression_of(name) or next(by_bytes, "")
    if not compression:
        yield packed
        return
    with spooled(_chunks(packed, compression), budget) as file:
        yield file


def spooled(chunks: Iterable[bytes], budget: Budget | None) -> IO[bytes]:
    """Write chunks to memory or a temporary file. Raises RefusedTextError."""
    file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 # it is returned
    try:
        for chunk in chunks:
            if budget is not None:
                budget.take_bytes(len(chunk))
            file.write(chunk)
    except DAMAGE as error:
        file.close()
        raise unreadable(error) from error
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return cast("IO[bytes]", file)


def unreadable(error: Exception) -> RefusedTextError:
    """Build the refusal of a file that cannot be read, with the reason in short."""
    reason = reason_of(error)
    return RefusedTextError(f"cannot be read ({_PLAINER.get(reason, reason)})")


def reason_of(error: Exception) -> str:
    """Find the reason that an error tells in short; else the name of its class."""
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _chunks(packed: IO[bytes], compression: str) -> Iterator[bytes]:
    match compression:
        case "gz":
            return chunks_of(cast("IO[bytes]", gzip.GzipFile(fileobj=packed, mode="rb")))
        case "xz":
            return chunks_of(cast("IO[bytes]", lzma.LZMAFile(packed)))
        case "bz2":
            return chunks_of(cast("IO[bytes]", bz2.BZ2File(packed)))
        case _:
            return _unzstd(iter(lambda: packed.read(ZSTD_CHUNK_BYTES), b""))


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
