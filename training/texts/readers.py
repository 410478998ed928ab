"""Reading of a corpus's files: each becomes its texts, and what is left out of it, with reasons.

    kind         by training.texts.kinds, from the first bytes and the name
    encoding     by training.texts.text_encoding
    archives     by training.texts.archive_members, which come back here with each member

Knows nothing of folders, documents and training.
"""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import IO, cast

from model.extras import needs_extra
from training.texts.archive_members import MAX_DEPTH, TOO_DEEP
from training.texts.file_reading import FileReading, Sources
from training.texts.kinds import EXPECTED, WITHOUT_TEXT, is_leftover, kind_by_name, kind_of
from training.texts.reading_options import ReadingOptions
from training.texts.source_text import LeftOut, RefusedTextError
from training.texts.unpacking import opened, size_of, unpacked

Reader = Callable[[IO[bytes], FileReading], Sources]
# Imported when a file of the kind comes: what they need is large, or of an extra.
_READERS = {
    "text": "plain_text:read",
    "markdown": "markdown_text:read",
    "html": "html_text:read",
    "docx": "docx_text:read",
    "odt": "odt_text:read",
    "rtf": "rtf_text:read",
    "epub": "epub_text:read",
    "pdf": "pdf_text:read",
    "csv": "table_records:read_csv",
    "tsv": "table_records:read_csv",
    "json": "table_records:read_json",
    "jsonl": "table_records:read_jsonl",
    "parquet": "parquet_records:read",
    "zip": "archive_members:read_zip",
    "tar": "archive_members:read_tar",
}


def read_sources(name: str, options: ReadingOptions) -> Sources:
    """Read the texts of one file, compressed or not; `-` is standard input.

    The file is open until the next source is asked for. Raises MissingExtraError where the reader
    of a format is not installed, and OSError where a disk fails.
    """
    if is_leftover(name):
        yield _left_out(name, "leftover")
        return
    try:
        with opened(name) as (file, budget):
            reading = FileReading(
                origin=name,
                kind=kind_by_name(name),
                options=options,
                budget=budget,
                read_member=_read_member,
            )
            yield from _read(file, reading)
    except RefusedTextError as error:
        yield LeftOut(origin=name, kind=kind_by_name(name), reason=str(error))


def _read_member(file: IO[bytes], reading: FileReading) -> Sources:
    """Read a member of an archive, which may be compressed or an archive itself."""
    if is_leftover(reading.origin):
        yield _left_out(reading.origin, "leftover")
        return
    try:
        with unpacked(file, reading.origin, reading.budget) as content:
            yield from _read(content, reading)
    except RefusedTextError as error:
        yield reading.left_out(str(error))


def _read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open file as what it is. What its reader refuses is left out."""
    named = kind_by_name(reading.origin)
    if size_of(file) == 0:
        yield reading.left_out("is empty", is_expected=True)
        return
    kind = kind_of(file, reading.origin)
    file.seek(0)
    if kind in WITHOUT_TEXT:
        yield _left_out(reading.origin, kind)
        return
    notes = () if kind == named else (f"named as {named}, but is {kind}",)
    known = replace(reading, kind=kind, notes=notes)
    if kind in ("zip", "tar") and reading.depth >= MAX_DEPTH:
        yield known.left_out(TOO_DEEP)
        return
    try:
        yield from _reader(kind)(file, known)
    except RefusedTextError as error:
        yield known.left_out(str(error))


def _reader(kind: str) -> Reader:
    module, _, function = _READERS[kind].partition(":")
    with needs_extra("texts"):
        return cast("Reader", getattr(import_module(f"training.texts.{module}"), function))


def _left_out(origin: str, kind: str) -> LeftOut:
    reason, is_expected = WITHOUT_TEXT[kind], kind in EXPECTED
    return LeftOut(origin=origin, kind=kind, reason=reason, is_expected=is_expected)
