"""Readers of records, each of which is a poem: .csv, .tsv, .json and .jsonl.

A record that cannot be read is left out with its number; where a table is damaged so that nothing
behind can be told, the rest of it. Knows nothing of documents.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import IO

from model.count_in_words import counted
from training.texts.file_reading import FileReading, Sources, require_small
from training.texts.reading_options import ReadingOptions
from training.texts.record_fields import Record, fields_of, has_text
from training.texts.source_text import RefusedTextError
from training.texts.text_encoding import decoded

LOOKED_AT = 20  # records, from which the fields are guessed
MAX_CELL = 1 << 24  # characters of a cell, or of a line of records
MAX_VALUES = 2_000_000  # of a file of JSON, whose objects are all in memory at once
_DELIMITERS = ",;\t|"
_LONGEST_NAME = 60  # characters of a column's name
_MOST_WORDS = 4  # of a column's name
_ENDS = tuple(",.;!?…")  # of a line of verse

Records = Iterator[Record | RefusedTextError]  # the error is of that one record


def read_csv(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open table whose first row names its columns. Raises RefusedTextError."""
    encoding, pieces = decoded(file, reading.options.encoding)
    return sources_of(_csv_records(pieces, reading.kind), reading, encoding)


def read_jsonl(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open file of one JSON object a line. Raises RefusedTextError."""
    encoding, pieces = decoded(file, reading.options.encoding)
    records = (_json_record(line) for line in _lines(pieces) if not line.isspace())
    return sources_of(records, reading, encoding)


def read_json(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open file of JSON: a list of objects, or an object that holds one, or is one.

    Raises RefusedTextError.
    """
    require_small(file)
    encoding, pieces = decoded(file, reading.options.encoding)
    text = "".join(pieces)
    if text.count(",") + text.count("[") + text.count("{") > MAX_VALUES:
        raise RefusedTextError(f"holds more than {MAX_VALUES:,} values; write it as .jsonl")
    value = _parsed_json(text)
    found = _json_records(value, reading.options)
    if not found:
        raise RefusedTextError("holds no list of objects, nor one object with a text")
    return sources_of(iter(found), reading, encoding)


def sources_of(records: Records, reading: FileReading, encoding: str | None = None) -> Sources:
    """Give the texts of records. Raises RefusedTextError where no field is surely the text."""
    beginning = list(islice(records, LOOKED_AT))
    whole = [record for record in beginning if not isinstance(record, RefusedTextError)]
    if not whole:
        faults = (record for record in beginning if isinstance(record, RefusedTextError))
        raise next(faults, RefusedTextError("holds no records"))
    columns = list(dict.fromkeys(column for record in whole for column in record))
    fields = fields_of(columns, whole, reading.options)
    notes = (*reading.notes, fields.note(reading.options))
    for number, record in enumerate(chain(beginning, records), 1):
        one = reading.inside(f", record {number}")
        if isinstance(record, RefusedTextError):
            yield one.left_out(str(record))
        elif text := fields.text_in(record):
            about = fields.about(record)
            source = one.with_notes(*notes).source(
                [text], encoding=encoding, about=about, is_whole_document=True
            )
            notes = ()  # once a file
            yield source
        else:
            yield one.left_out(f"has no {fields.text!r}", is_expected=True)


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Cut a text at its line ends, which stay. Raises RefusedTextError where one is too long."""
    held: list[str] = []
    num_held = 0
    for piece in pieces:
        *lines, rest = piece.split("\n")
        if lines:
            yield "".join([*held, lines[0], "\n"])
            yield from (f"{line}\n" for line in lines[1:])
            held, num_held = [], 0
        held.append(rest)
        num_held += len(rest)
        if num_held > MAX_CELL:
            raise RefusedTextError(f"has a line of more than {MAX_CELL:,} characters")
    if num_held:
        yield "".join(held)


def _csv_records(pieces: Iterable[str], kind: str) -> Records:
    lines = _lines(pieces)
    first = next(lines, "")
    if first.count("\r") > 1 and not first.endswith("\r\n"):  # an old Mac's line ends
        first, *others = first.splitlines(keepends=True)
        lines = chain(others, lines)
    csv.field_size_limit(MAX_CELL)
    delimiter = "\t" if kind == "tsv" else _delimiter(first)
    rows = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    try:
        top = next(rows, [])
        has_names = not _is_text(top)
        columns = _columns(top if has_names else ["text"])
        for row in chain([] if has_names else [top], rows):
            if row:
                yield _csv_record(columns, row)
    except csv.Error as error:
        yield RefusedTextError(f"cannot be read from line {rows.line_num:,} on ({error})")
    except RefusedTextError as error:
        yield error


def _csv_record(columns: list[str], row: list[str]) -> Record | RefusedTextError:
    if len(row) > len(columns):
        return RefusedTextError(
            f"has {counted(len(row), 'cell')} for {counted(len(columns), 'column')}"
        )
    return dict(zip(columns, row, strict=False))


def _is_text(row: list[str]) -> bool:
    """Check whether the first row of a table of one column is a text, and no name of it."""
    if len(row) != 1:
        return False
    cell = row[0].strip()
    return "\n" in cell or len(cell.split()) > _MOST_WORDS or cell.endswith(_ENDS)


def _columns(names: list[str]) -> list[str]:
    if not names or not any(name.strip() for name in names):
        raise RefusedTextError("has no row that names its columns")
    if any("\n" in name or len(name) > _LONGEST_NAME for name in names):
        raise RefusedTextError("its first row is a text; put a row above that names the columns")
    return [name.strip().lstrip("\ufeff") or f"column {at}" for at, name in enumerate(names, 1)]


def _delimiter(header: str) -> str:
    return max(_DELIMITERS, key=header.count)


def _json_record(line: str) -> Record | RefusedTextError:
    try:
        value = _parsed_json(line)
    except RefusedTextError as error:
        return error
    return _as_record(value)


def _as_record(value: object) -> Record | RefusedTextError:
    if isinstance(value, str):
        return {"text": value}
    return value if isinstance(value, dict) else RefusedTextError("is no object")


def _parsed_json(text: str) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno:,}, column {error.colno:,}"
        raise RefusedTextError(f"is no JSON ({error.msg}, {place})") from error
    except RecursionError as error:
        raise RefusedTextError("is nested too deeply") from error
    except ValueError as error:  # a number of thousands of digits
        raise RefusedTextError("is no JSON (it holds a number of thousands of digits)") from error


def _json_records(value: object, options: ReadingOptions) -> list[Record | RefusedTextError]:
    """Find the records in a JSON value: a list, an object with a text, or what lies in one."""
    if isinstance(value, list):
        return [_as_record(each) for each in value]
    if not isinstance(value, dict):
        return []
    if has_text(value, options):
        return [value]
    lists = [each for each in value.values() if isinstance(each, list) and each]
    objects = [each for each in lists if all(isinstance(one, dict) for one in each)]
    texts = [each for each in lists if any(isinstance(one, str) and "\n" in one for one in each)]
    if longest := max(objects or texts, key=len, default=None):
        return [_as_record(each) for each in longest]
    if value and all(isinstance(each, dict) for each in value.values()):
        return [_as_record(each) for each in value.values()]
    return [value]
