"""Encoding of a plain text: found by its bytes, or given, and checked to the last byte.

A byte order mark decides; else a text that is valid UTF-8 is UTF-8, which no other text of some
length is by chance, unless its NUL bytes show it to be UTF-16; else the letters tell
(training.texts.legacy_encoding). Texts of two encodings, and files that are no text, are refused.
Knows nothing of lines and formats.
"""

import codecs
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import IO

from model.count_in_words import counted
from training.texts.legacy_encoding import LEGACY_CODECS, legacy_encodings, shows_english
from training.texts.source_text import RefusedTextError
from training.texts.unpacking import chunks_of
from training.texts.wide_encoding import wide_encoding

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
HEAD_BYTES = 1 << 16
SAMPLE_BYTES = 3000  # of lines that are not ASCII: what a legacy encoding is told by
MAX_CONTROL_SHARE = 0.02  # of bytes that no text has; more, and the file is no text
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
CODECS = {**LEGACY_CODECS, "iso-2022-jp": "iso2022_jp_ext"}  # Python's, by the encoding's name
_ASCII = bytes(range(0x80))
_ISO_2022_JP = re.compile(rb"\x1b\$[@B]")
_ADVICE = "name its encoding, such as --encoding windows-1252, or leave it out if it is no text"


def decoded(file: IO[bytes], encodings: Sequence[str]) -> tuple[str, Iterator[str]]:
    """Decode an open file: the name of its encoding, and its text in pieces.

    `encodings` are those given: one, or several, of which each line takes the first that fits;
    none, and it is found by the bytes. The whole file is looked at before. Raises
    RefusedTextError where no encoding is right.
    """
    if len(encodings) > 1:
        for _ in _decoded_by_line(file, encodings):
            pass  # a fault is told before anything is given
        return " or ".join(encodings), _decoded_by_line(file, encodings)
    if encodings:
        _require(file, encodings[0])
        name = encodings[0]
    else:
        name = detect_encoding(file)
    return name, _pieces(file, _codec(name))


def detect_encoding(file: IO[bytes]) -> str:
    """Find the encoding of an open file by its bytes. Raises RefusedTextError where none fits."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if (told := _marked(head) or wide_encoding(head)) is not None:
        _require(file, told)
        return told
    if _ISO_2022_JP.search(head) and _first_fault(file, _codec("iso-2022-jp")) is None:
        return "iso-2022-jp"
    _require_text(head)
    _require_no_gap(file)
    fault = _first_fault(file, "utf-8")
    if fault is None:
        return "utf-8"
    _require_one_encoding(file, fault)
    for name in legacy_encodings(_sample(file), is_english=shows_english(head)):
        if _first_fault(file, _codec(name)) is None:
            return name
    raise RefusedTextError(f"not UTF-8 at byte {fault}, and no other encoding fits; {_ADVICE}")


def _marked(head: bytes) -> str | None:
    return next((name for mark, name in _MARKS if head.startswith(mark)), None)


def _codec(name: str) -> str:
    return CODECS.get(name, name)


def _require_text(head: bytes) -> None:
    controls = len(_CONTROLS.findall(head))
    if controls > MAX_CONTROL_SHARE * len(head):
        raise RefusedTextError(
            f"is no text: {controls:,} of its first {counted(len(head), 'byte')} "
            f"{'is a' if controls == 1 else 'are'} NUL or other control "
            f"{'character' if controls == 1 else 'characters'}"
        )


def _require_no_gap(file: IO[bytes]) -> None:
    """Refuse a file with long runs of NUL bytes: a sparse one, or what a crash left of it."""
    file.seek(0)
    offset = 0
    for chunk in chunks_of(file):
        if chunk.count(0) > MAX_CONTROL_SHARE * len(chunk):
            raise RefusedTextError(f"is no text from byte {offset + chunk.find(0):,} on, but NUL")
        offset += len(chunk)


def _require(file: IO[bytes], name: str) -> None:
    if (fault := _first_fault(file, _codec(name))) is not None:
        raise RefusedTextError(f"not {name.upper()} at byte {fault}; {_ADVICE}")


def _require_one_encoding(file: IO[bytes], fault: int) -> None:
    """Refuse a text that is UTF-8 for the most part: in no other encoding it would be right."""
    file.seek(0)
    sequences = others = 0
    for chunk in chunks_of(file):
        rest, count = _UTF8_SEQUENCE.subn(b"", chunk)
        sequences += count
        others += len(rest.translate(None, _ASCII))
    if sequences >= others:
        broken = f"{counted(others, 'byte')} {'is' if others == 1 else 'are'} not"
        raise RefusedTextError(
            f"not UTF-8 at byte {fault}, but in most other places ({broken}); mend it, or have "
            "each line read as what it is: --encoding utf-8 windows-1252"
        )


def _first_fault(file: IO[bytes], codec: str) -> int | None:
    """Find the first byte of a file that is not of an encoding."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder(codec)("strict")
    offset = 0
    for chunk in chain(chunks_of(file), (b"",)):
        state = decoder.getstate()[0]
        pending = len(state) if isinstance(state, bytes) else 0
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return offset - pending + error.start
        offset += len(chunk)
    return None


def _sample(file: IO[bytes]) -> bytes:
    """Read lines of a file that are not ASCII."""
    file.seek(0)
    found = bytearray()
    for chunk in chunks_of(file):
        at = chunk.find(b"\n") + 1 if file.tell() > len(chunk) else 0  # not amid a character
        for line in chunk[at:].splitlines(keepends=True):
            if not line.isascii():
                found += line[: SAMPLE_BYTES - len(found)]
            if len(found) >= SAMPLE_BYTES:
                return bytes(found)
    return bytes(found)


def _pieces(file: IO[bytes], codec: str) -> Iterator[str]:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(codec)("strict")
    is_first = True
    for chunk in chain(chunks_of(file), (b"",)):
        text = decoder.decode(chunk, final=not chunk)
        # The first mark is no part of the text; others, of files that were joined, are counted.
        yield text.removeprefix("\ufeff") if is_first else text
        is_first = is_first and not text


def _decoded_by_line(file: IO[bytes], encodings: Sequence[str]) -> Iterator[str]:
    file.seek(0)
    rest = b""
    for chunk in chunks_of(file):
        *lines, rest = (rest + chunk).split(b"\n")
        yield "".join([_decoded_line(line, encodings) + "\n" for line in lines])
    yield _decoded_line(rest, encodings)


def _decoded_line(line: bytes, encodings: Sequence[str]) -> str:
    for name in encodings:
        try:
            return line.decode(_codec(name))
        except UnicodeDecodeError:
            continue
    raise RefusedTextError(
        f"the line {line[:60]!r} is neither {' nor '.join(encodings)}; name another encoding"
    )
