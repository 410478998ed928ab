"""Reader of corpus files: decompressed, decoded, normalised (NFC), and parted into documents.

Files are plain, .gz, .xz or .zst, in UTF-8; byte order marks are dropped, CRLF becomes LF and
text becomes NFC. The end of a file always ends a document. Where line ends part documents, blank
lines are emptied first.
Knows nothing of vocabularies, ids and splits.
"""

import codecs
import gzip
import io
import lzma
import sys
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from pathlib import Path
from typing import IO, cast

from model.prompt_normalization import composed
from training.data.blank_lines import emptied_blank_lines, is_blank
from training.data.sources import STDIN, unreadable
from training.data.train_valid_split import SplitKind
from training.data.zstd_frame import ZstdError, new_frame
from training.training_errors import CorpusError

LETTERS_THAT_COMBINE = "\U00016d67"  # Kirat Rai's sign e, from Unicode 16 (Python 3.14) on
BYTE_ORDER_MARK = "\ufeff"
CHUNK_BYTES = 1 << 20
ZSTD_CHUNK_BYTES = 1 << 14  # compressed: what one of these becomes is in memory at once


def read_texts(name: str, split: SplitKind, separator: str) -> Iterator[str]:
    """Read the documents of one file, or the pieces of its text where it has no documents."""
    return read_documents(name, separator) if split == "documents" else read_segments(name)


def read_documents(name: str, separator: str) -> Iterator[str]:
    """Read the documents of one file, without the line ends around them, blank ones left out."""
    # Of a document whose end is not seen yet only the tail, which may hold half a separator, is
    # searched again: a long one must not take time that grows with its square.
    held: list[str] = []
    tail = ""
    texts = _decoded(name)
    for text in texts if separator.strip("\n") else emptied_blank_lines(texts):
        first, *others = (tail + text).split(separator)
        held.append(first)
        for other in others:
            document, held = "".join(held), [other]
            yield from _clean(document)
        last = held.pop()
        cut = max(0, len(last) - len(separator) + 1)
        held.append(last[:cut])
        tail = last[cut:]
    yield from _clean("".join([*held, tail]))


def _clean(document: str) -> Iterator[str]:
    document = composed(document.strip("\n"))
    if not is_blank(document):
        yield document


def read_segments(name: str) -> Iterator[str]:
    """Read the text of one file as it is, in pieces of about a million characters.

    They are cut at line ends; in a line that is longer, where normalising joins nothing.
    """
    rest = ""
    for text in _decoded(name):
        whole = rest + text
        cut = _last_nfc_cut(whole)
        if cut > 0:
            yield composed(whole[:cut])
        rest = whole[cut:]
    if rest:
        yield composed(rest)


def _last_nfc_cut(text: str) -> int:
    """Find where NFC may cut text: after its last line end, else where it joins nothing."""
    after_newline = text.rfind("\n") + 1
    if after_newline > 0:
        return after_newline
    places = range(len(text) - 1, 0, -1)
    return next((at for at in places if not may_combine(text[at])), 0)


def may_combine(char: str) -> bool:
    """Check whether NFC may join `char` to what stands before it: marks, and jamo of a syllable."""
    is_mark = unicodedata.category(char).startswith("M") or char in LETTERS_THAT_COMBINE
    return is_mark or "\u1160" <= char <= "\u11ff"


def _decoded(name: str) -> Iterator[str]:
    """Decode the text of one file in pieces, with LF line ends."""
    try:
        with _open_bytes(name) as file:
            yield from _decode_chunks(name, _chunks_of(name, file))
    except (OSError, EOFError, lzma.LZMAError, zlib.error, ZstdError) as error:
        raise unreadable(name, error) from error


def _decode_chunks(name: str, chunks: Iterable[bytes]) -> Iterator[str]:
    utf8 = codecs.getincrementaldecoder("utf-8")("strict")
    lines = io.IncrementalNewlineDecoder(utf8, translate=True)
    offset = 0
    for chunk in chain(chunks, (b"",)):
        pending = len(utf8.getstate()[0])
        try:
            text = lines.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            at = offset - pending + error.start
            raise CorpusError(
                f"{name}: not UTF-8 at byte {at}; convert it, for example with iconv -t utf-8, "
                "or leave it out if it is no text"
            ) from error
        offset += len(chunk)
        # Not only the first: files that were joined have one at the beginning of each part.
        yield text.replace(BYTE_ORDER_MARK, "")


def _open_bytes(name: str) -> AbstractContextManager[IO[bytes]]:
    if name == STDIN:
        if sys.stdin is None:
            raise CorpusError("-: standard input is closed")
        return nullcontext(sys.stdin.buffer)  # not ours to close
    match Path(name).suffix:
        case ".gz":
            return cast("IO[bytes]", gzip.open(name, "rb"))
        case ".xz":
            return cast("IO[bytes]", lzma.open(name, "rb"))
        case _:
            return Path(name).open("rb")


def _chunks_of(name: str, file: IO[bytes]) -> Iterator[bytes]:
    """Read the content of an open file in pieces, none of them empty."""
    if name != STDIN and Path(name).suffix == ".zst":
        return _unzstd(iter(lambda: file.read(ZSTD_CHUNK_BYTES), b""))
    return iter(lambda: file.read(CHUNK_BYTES), b"")


def _unzstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress all frames of a .zst file, into pieces of CHUNK_BYTES or a little more.

    Frame by frame: `zstandard.open` would end with the first one, and take a file cut short for a
    whole one.
    """
    gathered = bytearray()
    frame = new_frame()
    is_whole = True
    for chunk in chunks:
        compressed = chunk
        while compressed:
            gathered += frame.decompress(compressed)
            is_whole, compressed = frame.eof, frame.unused_data
            if is_whole:
                frame = new_frame()
        if len(gathered) >= CHUNK_BYTES:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)
    if not is_whole:
        raise EOFError("the compressed data ends too soon")
