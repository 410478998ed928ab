"""Reader of .parquet, by arro3: each row is a poem, read a few hundred at a time.

Knows nothing of documents.
"""

from collections.abc import Iterator
from typing import IO, cast

from arro3.io import read_parquet

from training.texts.file_reading import FileReading, Sources
from training.texts.parquet_footer import group_bytes
from training.texts.record_fields import Record
from training.texts.source_text import RefusedTextError
from training.texts.table_records import Records, sources_of
from training.texts.unpacking import Budget, size_of

_MAGIC = b"PAR1"
_FOOTER_BYTES = 8  # at the end: the length of what describes the file, and the magic bytes
ROWS_AT_ONCE = 256
MAX_FOOTER_BYTES = 1 << 22
MAX_GROUP_BYTES = 1 << 28  # unpacked; writers make groups of 128 MB or a million rows


def read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open .parquet. Raises RefusedTextError where it is damaged or too large."""
    _require_small_groups(_footer(file), reading.budget)
    return sources_of(_records(file), reading)


def _require_small_groups(footer: bytes, budget: Budget) -> None:
    sizes = group_bytes(footer)
    budget.take_bytes(sum(sizes))
    if max(sizes, default=0) > MAX_GROUP_BYTES:
        raise RefusedTextError(
            f"has a group of rows of {max(sizes) >> 20:,} MB, and at most {MAX_GROUP_BYTES >> 20} "
            "MB are read at once; write it in smaller groups"
        )


def _footer(file: IO[bytes]) -> bytes:
    """Read what describes a file; refuse one that was cut short, or whose footer is no description.

    For a file without a footer arro3 would write of a panic to the terminal.
    """
    size = size_of(file)
    file.seek(max(0, size - _FOOTER_BYTES))
    end = file.read()
    length = int.from_bytes(end[:4], "little")
    if not end.endswith(_MAGIC) or length + _FOOTER_BYTES + len(_MAGIC) > size:
        raise RefusedTextError("cannot be read (it ends too soon)")
    if length > MAX_FOOTER_BYTES:
        raise RefusedTextError(f"has a footer of {length >> 20:,} MB, as no table of texts has")
    file.seek(size - _FOOTER_BYTES - length)
    footer = file.read(length)
    file.seek(0)
    return footer


def _records(file: IO[bytes]) -> Records:
    try:
        for batch in read_parquet(file, batch_size=ROWS_AT_ONCE):
            names = batch.schema.names
            columns = [column.to_pylist() for column in batch.columns]
            yield from cast(
                "Iterator[Record]",
                (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)),
            )
    except Exception as error:  # noqa: BLE001 # arro3 raises no narrower one
        yield RefusedTextError(f"cannot be read ({str(error)[:200]})")
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # of Rust; it has no public name
            raise
        yield RefusedTextError("cannot be read (it is damaged)")
