"""Copy index of a checkpoint: finds what of a text stands word for word in the training text.

A file beside the weights, made by `training` on request. It holds the letter signature of the
training text (`model.copies.letter_signature`), two bits a letter, and where its documents and
lines begin, so a run of letters is found wherever it begins and its place is told. Promised:

    - each run of MIN_LETTERS letters or more that stands in the training text is found;
    - it is told at its full length, or longer: by n letters at an end with probability 1 / 4^n,
      since letters of another text may have the hashes of those that would come next;
    - verbatim copies only: nothing is known of a copy with one word changed but its halves.

The file: a line of JSON; packed tables (xz) of files, documents, lines and titles; the signature.
Knows nothing of checkpoints.
"""

import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.copies.letter_signature import GRAM, PER_BYTE, Places, hashes_of, letters_of
from model.copies.signature_search import SEED, find_matches, scratch_size
from model.errors import CheckpointError, ParameterError
from model.xz_content import unpacked

MIN_LETTERS = SEED + PER_BYTE - 1 + GRAM - 1
MAX_BYTES = 1 << 30
MAX_TITLE = 60  # characters
_MAX_HEAD = 4096
_ANY_TEXT = "long enough to be searched for"
_MAX_TABLES = 1 << 30  # bytes when unpacked

Numbers = np.ndarray[tuple[int], np.dtype[np.uint32]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedRun:
    """Run of letters of a text that stands in the training text, and where.

    `text[start:end]` is the run; `characters` counts its letters and one for what stands between
    words; `words` are those of the text that lie wholly in it. `document` is which text of `file`
    it stands in, `line` which line of that one, both from 1; `title` that document's first line,
    where a blank one stands below it. Of several places it is the first.
    """

    start: int
    end: int
    characters: int
    words: int
    file: str
    document: int
    line: int
    title: str | None


class _Head(BaseModel):
    """First line of the file: sizes in bytes, and counts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: int = Field(ge=1, le=1)
    letters: int = Field(ge=0)
    documents: int = Field(ge=0)
    lines: int = Field(ge=0)
    tables: int = Field(ge=0)
    signature: int = Field(ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedDocument:
    """Document of a copy index: its file, its number in it, its title and letters by line."""

    file: int
    number: int
    title: str
    line_letters: Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tables:
    """Where documents begin: arrays over documents, and the letters of every line."""

    files: list[str]
    file_of: Numbers
    number_of: Numbers
    titles: list[str]
    first_bytes: Places  # of the signature, a document each
    first_lines: Places  # in `line_letters`
    line_letters: Numbers


class CopyIndex:
    """Index of a training text, in which copied runs are found.

    `letters` and `documents` say how much it holds; `serialized` is the file's content.
    """

    def __init__(self, serialized: bytes) -> None:
        """Read a file's content. Raises CheckpointError, which says what is wrong with it."""
        self.serialized = serialized
        line, _, _ = serialized[:_MAX_HEAD].partition(b"\n")
        try:
            self._head = _Head.model_validate_json(line)
        except ValidationError as error:
            problem = ParameterError.from_validation(error)
            raise CheckpointError(
                f"its first line is no head of a copy index ({problem})"
            ) from None
        self._body = len(line) + 1
        self.letters, self.documents = self._head.letters, self._head.documents
        expected = self._body + self._head.tables + self._head.signature
        if len(serialized) != expected:
            raise CheckpointError(f"it has {len(serialized):,} bytes, its head says {expected:,}")
        self._signature = np.frombuffer(serialized, np.uint8)[self._body + self._head.tables :]

    def prepare(self) -> None:
        """Unpack the tables and compile the search, so that no text has to wait for that.

        Raises CheckpointError where the tables cannot be read.
        """
        self.runs(_ANY_TEXT)
        _ = self._tables

    def longest_run(self, text: str) -> CopiedRun | None:
        """Find the longest run of `text` that stands in the training text.

        None where no MIN_LETTERS letters in a row do; shorter runs stand in any text.
        """
        return next(iter(self.runs(text)), None)

    def runs(self, text: str, *, min_characters: int = 0) -> list[CopiedRun]:
        """Find the copied runs of `text`, the longest first; none overlaps another."""
        letters, places = letters_of(text)
        query = hashes_of(letters)
        lengths, found_at = np.zeros((2, len(query)), np.int64)
        scratch = np.empty(scratch_size(len(query)), np.int64)
        find_matches(self._signature, query, lengths, found_at, scratch)
        is_taken = np.zeros(len(letters), bool)
        runs = []
        for first in np.argsort(-lengths, kind="stable").tolist():
            end = first + int(lengths[first]) + GRAM - 1
            if end - first < MIN_LETTERS:
                break
            # What a longer run has at either end, maybe by chance, this one does without.
            free = first + np.flatnonzero(~is_taken[first:end])
            if len(free) < MIN_LETTERS or free[-1] - free[0] + 1 != len(free):
                continue
            begin, end = int(free[0]), int(free[-1]) + 1
            is_taken[begin:end] = True
            run = self._run(text, places, begin, end, int(found_at[first]) + begin - first)
            if run.characters >= min_characters:
                runs.append(run)
        return sorted(runs, key=lambda run: -run.characters)

    def _run(self, text: str, places: Places, begin: int, end: int, found_at: int) -> CopiedRun:
        tables = self._tables
        # By its middle: a letter more that it has by chance may lie in the document before.
        middle = found_at + (end - begin) // 2
        document = int(np.searchsorted(tables.first_bytes, middle // PER_BYTE, side="right")) - 1
        letter = max(0, found_at - PER_BYTE * int(tables.first_bytes[document]))
        lines = slice(int(tables.first_lines[document]), int(tables.first_lines[document + 1]))
        ends = np.cumsum(tables.line_letters[lines], dtype=np.int64)
        gaps = np.diff(places[begin:end]) > 1
        return CopiedRun(
            start=int(places[begin]),
            end=int(places[end - 1]) + 1,
            characters=end - begin + int(gaps.sum()),
            words=_whole_words(text, places, begin, end),
            file=tables.files[int(tables.file_of[document])],
            document=int(tables.number_of[document]),
            line=int(np.searchsorted(ends, letter, side="right")) + 1,
            title=tables.titles[document] or None,
        )

    @cached_property
    def _tables(self) -> _Tables:
        """Tables of documents, unpacked when the first run is found."""
        head = self._head
        packed = self.serialized[self._body : self._body + head.tables]
        try:
            names, _, rest = unpacked(packed, _MAX_TABLES).partition(b"\n")
            size = 4 * (4 * head.documents + head.lines)
            numbers = np.frombuffer(rest[:size], np.uint8).reshape(4, -1)
            columns = np.ascontiguousarray(numbers.T).reshape(-1).view("<u4")
            file_of, number_of, letters, lines = columns[: 4 * head.documents].reshape(4, -1)
            titles = rest[size:].decode().split("\n")
            if len(titles) != max(head.documents, 1) or int(lines.sum()) != head.lines:
                raise ValueError("documents and lines are not as many as it says")
            files = [str(name) for name in json.loads(names)]
        except (CheckpointError, ValueError, MemoryError) as error:
            raise CheckpointError(f"its tables cannot be read ({error})") from error
        in_bytes = -(-letters.astype(np.int64) // PER_BYTE)
        return _Tables(
            files=files,
            file_of=file_of,
            number_of=number_of,
            titles=titles,
            first_bytes=_firsts(in_bytes),
            first_lines=_firsts(lines),
            line_letters=columns[4 * head.documents :],
        )


def _firsts(sizes: "np.ndarray[tuple[int], np.dtype[np.integer]]") -> Places:
    """Where parts of these sizes begin, one behind the other, and where the last ends."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])


def _whole_words(text: str, places: Places, begin: int, end: int) -> int:
    """Count the words of which no letter lies outside a run; an apostrophe parts none."""
    borders = sum(_parts_words(text, places, at) for at in range(begin, end + 1))
    return max(borders - 1, 0)  # each lies between two borders


def _parts_words(text: str, places: Places, at: int) -> bool:
    """Check whether a word ends, or begins, between letter `at` and the one before it."""
    if at in {0, len(places)}:
        return True
    return text[int(places[at - 1]) + 1 : int(places[at])] not in {"", "'", "\u2019"}


def pack(files: Sequence[str], documents: Sequence[IndexedDocument], signature: bytes) -> CopyIndex:
    """Pack a copy index of documents, whose signatures stand one behind the other.

    Each takes whole bytes of the signature, and has a hash for each of its letters.
    """
    lines = [document.line_letters for document in documents]
    letters = [int(of_document.sum()) for of_document in lines]
    numbers = np.concatenate(
        [
            np.array([document.file for document in documents], "<u4"),
            np.array([document.number for document in documents], "<u4"),
            np.array(letters, "<u4"),
            np.array([len(of_document) for of_document in lines], "<u4"),
            *lines,
        ]
    ).astype("<u4")
    planes = numbers.view(np.uint8).reshape(-1, 4).T.tobytes()
    titles = "\n".join(document.title for document in documents)
    names = json.dumps(list(files)).encode() + b"\n"
    tables = lzma.compress(names + planes + titles.encode(), preset=9)
    head = _Head(
        format=1,
        letters=sum(letters),
        documents=len(documents),
        lines=sum(map(len, lines)),
        tables=len(tables),
        signature=len(signature),
    )
    return CopyIndex(head.model_dump_json().encode() + b"\n" + tables + signature)
