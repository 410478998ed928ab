"""Temporary on-disk store of a corpus's documents, between reading files and writing token ids.

Reading, normalising and counting happen once; then the split is known and the texts can be
read again, part by part, as often as needed. This is also what lets standard input be a corpus.
Only an index is in memory. What counts as a duplicate is decided in training.data.deduplication,
which document validates in training.data.train_valid_split. Knows nothing of ids and
vocabularies.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from training.data.blank_lines import is_blank
from training.data.corpus_options import CorpusOptions
from training.data.deduplication import Deduplicator, document_digest
from training.data.document_reader import read_texts
from training.data.separator_hints import separator_hints
from training.data.train_valid_split import (
    Part,
    held_out_documents,
    num_held_out_characters,
)
from training.data.vocabulary import CharacterCounts
from training.training_errors import CorpusError

PIECE_BYTES = 1 << 20  # encoding takes twenty times the memory of what it is given at once


@dataclass(slots=True)
class _Entry:
    """Index entry of one text: its place in the file, its hash, and the part it belongs to."""

    offset: int
    num_bytes: int
    digest: bytes
    opens_document: bool = False
    file: str = ""
    number: int = 1
    part: Part = "train"


@dataclass(frozen=True, slots=True)
class StoredText:
    """Text of a corpus, or a piece of it, and where it comes from.

    `number` is which document of `file` it belongs to, from 1, those left out counted; a file of
    one text has that only.
    """

    text: str
    opens_document: bool
    file: str
    number: int


class DocumentStore:
    """Deduplicated texts of a corpus in a temporary file, split into train and valid."""

    def __init__(self, file: IO[bytes], options: CorpusOptions) -> None:
        self.split = options.split
        self.counts = CharacterCounts()
        self._options = options
        self._file = file
        self._hash = hashlib.sha256()
        self._seen = Deduplicator()
        self._entries: list[_Entry] = []
        self._num_characters = 0
        self._is_blank = True  # no text with a visible character has been taken

    @property
    def text_sha256(self) -> str:
        """SHA-256 of all texts that were kept, in order."""
        return self._hash.hexdigest()

    @property
    def num_duplicates(self) -> int:
        """Number of documents that were left out because an earlier one has their text."""
        return self._seen.num_duplicates

    def read(self, files: Sequence[str], valid_files: Sequence[str], fraction: float) -> None:
        """Read the files, drop duplicates, and split the texts into train and valid.

        Raises CorpusError for what cannot be read, or is too little to split.
        """
        self._take_all(files, "train")
        if self._is_blank:
            raise CorpusError(f"no text: {_named(files)} no visible character")
        if valid_files:
            self._take_valid(valid_files)
        elif self.split == "documents":
            self._hold_out_documents(fraction)
        else:
            self._hold_out_end(fraction)
        if not self._holds("train") or not self._holds("valid"):
            raise CorpusError(
                f"the corpus is too small to split: it has {_counted(self._num_characters)}, and "
                "both training and validation need some"
            )

    def _holds(self, part: Part) -> bool:
        return any(entry.part == part for entry in self._entries)

    def texts(self, part: Part) -> Iterator[tuple[str, bool]]:
        """Read the texts of one part again, in pieces, each with whether it opens a document."""
        for stored in self.stored_texts(part):
            yield stored.text, stored.opens_document

    def stored_texts(self, part: Part) -> Iterator[StoredText]:
        """Read the texts of one part again, in pieces, each with where it comes from."""
        for entry in self._entries:
            if entry.part == part:
                opens_document = entry.opens_document
                for piece in self._pieces_of(entry):
                    yield StoredText(piece, opens_document, entry.file, entry.number)
                    opens_document = False

    def _pieces_of(self, entry: _Entry) -> Iterator[str]:
        """Read one text, cut at line ends; no token of a subword vocabulary reaches over one."""
        place, end = entry.offset, entry.offset + entry.num_bytes
        rest = b""
        while place < end:
            raw = rest + self._read_at(place, min(PIECE_BYTES, end - place))
            place = min(place + PIECE_BYTES, end)
            cut = len(raw) if place == end else _last_utf8_cut(raw)
            yield raw[:cut].decode()
            rest = raw[cut:]

    def _take_valid(self, files: Sequence[str]) -> None:
        self._is_blank = True
        before = self.num_duplicates
        self._take_all(files, "valid")
        known = self.num_duplicates - before
        if self._is_blank and known > 0:
            why = f"all of its documents ({known:,}) are in the corpus, too"
            raise CorpusError(f"valid_corpus: nothing to validate on: {why}")
        if self._is_blank:
            raise CorpusError(f"valid_corpus: no text: {_named(files)} no visible character")

    def _take_all(self, files: Sequence[str], part: Part) -> None:
        for name in files:
            for number, text in enumerate(read_texts(name, self._options), 1):
                if self.split == "documents":
                    self._take_document(text, name, number, part)
                else:
                    self._append(text, text.encode(), _Entry(0, 0, b"", file=name, part=part))
        if self.split == "contiguous":
            self._mark_opening(part)

    def _take_document(self, text: str, file: str, number: int, part: Part) -> None:
        raw = text.encode()
        digest = document_digest(raw)
        if not self._seen.is_duplicate(digest):
            entry = _Entry(0, 0, digest, opens_document=True, file=file, number=number, part=part)
            self._append(text, raw, entry)

    def _append(self, text: str, raw: bytes, entry: _Entry) -> None:
        """Write a text to the file, and its place into its entry."""
        self._hash.update(raw)
        self.counts.add(text)
        self._num_characters += len(text)
        self._is_blank = self._is_blank and is_blank(text)
        entry.offset, entry.num_bytes = self._file.seek(0, 2), len(raw)
        self._file.write(raw)
        self._entries.append(entry)

    def _mark_opening(self, part: Part) -> None:
        opening = next((entry for entry in self._entries if entry.part == part), None)
        if opening is not None:
            opening.opens_document = True

    def _hold_out_documents(self, fraction: float) -> None:
        if len(self._entries) < 2:
            raise CorpusError(self._why_one_document())
        is_held_out = held_out_documents([entry.digest for entry in self._entries], fraction)
        for entry, validates in zip(self._entries, is_held_out, strict=True):
            if validates:
                entry.part = "valid"

    def _why_one_document(self) -> str:
        """Say what the only document is, and what in it may be meant to part several."""
        entry = self._entries[0]
        text = self._read_at(entry.offset, entry.num_bytes).decode()
        separator = self._options.document_separator
        found = f"it is one document of {_counted(len(text))}, parted nowhere by {separator!r}"
        if (copies := self.num_duplicates) > 0:
            found = (
                f"its {copies + 1:,} documents are all the same one of {_counted(len(text))} "
                f"({copies:,} left out as duplicates)"
            )
        hints = [
            *separator_hints(text, separator),
            "for one long text use --split contiguous",
        ]
        return f"the corpus is too small to split: {found}; {'; '.join(hints)}"

    def _hold_out_end(self, fraction: float) -> None:
        """Hold out the end of the whole text; the piece that the cut falls in becomes two."""
        wanted = num_held_out_characters(self._num_characters, fraction)
        for index in range(len(self._entries) - 1, -1, -1):
            entry = self._entries[index]
            text = self._read_at(entry.offset, entry.num_bytes).decode()
            if len(text) > wanted:
                self._cut(index, text, len(text) - wanted)
                break
            entry.part = "valid"
            wanted -= len(text)
        self._mark_opening("valid")

    def _cut(self, index: int, text: str, at: int) -> None:
        if at == len(text):
            return
        entry = self._entries[index]
        head_bytes = len(text[:at].encode())
        offset, num_bytes = entry.offset + head_bytes, entry.num_bytes - head_bytes
        tail = _Entry(offset, num_bytes, b"", file=entry.file, part="valid")
        entry.num_bytes = head_bytes
        self._entries.insert(index + 1, tail)

    def _read_at(self, offset: int, num_bytes: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(num_bytes)


def _counted(characters: int) -> str:
    return "1 character" if characters == 1 else f"{characters:,} characters"


def _named(files: Sequence[str]) -> str:
    return f"{files[0]} holds" if len(files) == 1 else f"the {len(files):,} files hold"


def _last_utf8_cut(raw: bytes) -> int:
    """Find where to cut UTF-8 text: after its last line end, else before its last character."""
    after_newline = raw.rfind(b"\n") + 1
    if after_newline > 0:
        return after_newline
    continuation = 0b10
    return next(at for at in range(len(raw) - 1, -1, -1) if raw[at] >> 6 != continuation)
