"""Reading of one file: what a format's reader is told of it, and the sources that it gives.

Knows nothing of any format.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from training.texts.invisible_characters import visible_line, visible_lines
from training.texts.reading_options import ReadingOptions
from training.texts.source_text import About, LeftOut, RefusedTextError, SourceText
from training.texts.unpacking import Budget, size_of

MAX_DOCUMENT_BYTES = 1 << 26  # of a file, or of a part of it, that is read as a whole
MAX_FACT_CHARACTERS = 300  # of a title, an author, a licence
Sources = Iterator[SourceText | LeftOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """Reading of one file: where it lies, of what kind it is, and how it is to be read."""

    origin: str
    kind: str
    options: ReadingOptions
    budget: Budget
    read_member: Callable[[IO[bytes], "FileReading"], Sources]  # of an archive, whatever it is
    depth: int = 0  # archives around it
    notes: tuple[str, ...] = ()

    def source(
        self,
        pieces: Iterable[str],
        *,
        encoding: str | None = None,
        about: About | None = None,
        is_whole_document: bool = False,
    ) -> SourceText:
        """Make the source of a text, whose invisible characters are dropped as it is read."""
        told = about if about is not None else About()
        source = SourceText(
            origin=self.origin,
            kind=self.kind,
            pieces=iter(()),
            encoding=encoding,
            title=_line(told.title),
            author=_line(told.author),
            licence=_line(told.licence),
            is_whole_document=is_whole_document,
            notes=self.notes,
        )
        source.pieces = visible_lines(pieces, source.dropped)
        return source

    def left_out(self, reason: str, *, is_expected: bool = False) -> LeftOut:
        """Say that the file gives no text, and why."""
        return LeftOut(origin=self.origin, kind=self.kind, reason=reason, is_expected=is_expected)

    def inside(self, name: str) -> "FileReading":
        """Describe a member or a record of the file."""
        return replace(self, origin=f"{self.origin}{name}", notes=())

    def with_notes(self, *notes: str) -> "FileReading":
        """Add what is worth telling of the way the file is read."""
        return replace(self, notes=(*self.notes, *notes))


def _line(text: str | None) -> str | None:
    return visible_line(text, MAX_FACT_CHARACTERS) or None if text is not None else None


def read_whole(file: IO[bytes]) -> bytes:
    """Read a file whose format must be read as a whole. Raises RefusedTextError: too large."""
    require_small(file)
    return file.read()


def require_small(file: IO[bytes]) -> None:
    """Refuse a file that is too large to be read as a whole; it is then at its beginning."""
    size = size_of(file)
    if size > MAX_DOCUMENT_BYTES:
        raise RefusedTextError(too_large(size))


def too_large(size: int, limit: int = MAX_DOCUMENT_BYTES) -> str:
    """Say that a part of `size` bytes is larger than what is read as a whole."""
    most = f"{limit >> 20} MB"
    return f"has {size >> 20:,} MB, and of this format at most {most} are read; part it"
