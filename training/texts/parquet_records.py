"""Reader of .parquet, by arro3: each row is a poem, read a few hundred at a time.

Knows nothing of documents.
"""

from collections.abc import Iterator
from typing import IO, cast

from arro3.io import read_parquet

from training.texts.file_reading import FileReading, Sources
from training.texts.record_fields import Record
from training.texts.source_text import RefusedTextError
from training.texts.table_records import Records, sources_of
from training.texts.unpacking import size_of

_MAGIC = b"PAR1"
_FOOTER_BYTES = 8  # at the end: the length of what describes the file, and the magic bytes
ROWS_AT_ONCE = 256


def read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open .parquet. Raises RefusedTextError where it is damaged."""
    _require_footer(file)
    return sources_of(_records(file), reading)


def _require_footer(file: IO[bytes]) -> None:
    """Refuse a file that was cut short, for which arro3 would write of a panic to the terminal."""
    size = size_of(file)
    file.seek(max(0, size - _FOOTER_BYTES))
    footer = file.read()
    file.seek(0)
    length = int.from_bytes(footer[:4], "little")
    if not footer.endswith(_MAGIC) or length + _FOOTER_BYTES + len(_MAGIC) > size:
        raise RefusedTextError("cannot be read (it ends too soon)")


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
