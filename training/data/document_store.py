"""Temporary on-disk store of a corpus's documents, between reading files and writing token ids.

Reading, normalising and counting happen once; then the split is known and the texts can be
read again, part by part, as often as needed. This is also what lets standard input be a corpus.
Only an index is in memory. What counts as a duplicate is decided in training.data.deduplication,
what as a reprint in training.data.reprints, which document validates in
training.data.train_valid_split. Knows nothing of ids and vocabularies.
"""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import IO

from model.count_in_words import counted
from training.data.blank_lines import is_blank
from training.data.corpus_document import Document
from training.data.corpus_options import CorpusOptions
from training.data.deduplication import Deduplicator, document_digest
from training.data.document_reader import CorpusReader
from training.data.reading_report import ReadingFacts
from training.data.reprints import LineIndex, Link, reprinted, smaller_across
from training.data.split_failures import why_blank, why_one_document
from training.data.train_valid_split import (
    Part,
    held_out_documents,
    num_held_out_characters,
    split_keys,
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
    author: str | None = None


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
    """Deduplicated texts of a corpus in a temporary file, split into train and valid.

    Files that are `required` must give text; of others that give none the reasons are noted.
    """

    def __init__(
        self, file: IO[bytes], options: CorpusOptions, required: Collection[str] = ()
    ) -> None:
        self.split = options.split
        self.counts = CharacterCounts()
        self._options = options
        self._file = file
        self._hash = hashlib.sha256()
        self._seen = Deduplicator()
        self._lines = LineIndex()
        self._reader = CorpusReader(options, required)
        self.num_reprints = 0  # documents left out because another one has most of their lines
        self._entries: list[_Entry] = []
        self.num_characters = 0
        self._is_blank = True  # no text with a visible character has been taken

    @property
    def text_sha256(self) -> str:
        """SHA-256 of all texts that were kept, in order."""
        return self._hash.hexdigest()

    @property
    def num_duplicates(self) -> int:
        """Number of documents that were left out because an earlier one has their text."""
        return self._seen.num_duplicates

    @property
    def num_documents(self) -> int:
        """Number of documents that were kept, those to validate on included."""
        return sum(entry.opens_document for entry in self._entries)

    @property
    def reading(self) -> ReadingFacts:
        """Facts of the reading so far: files, encodings, cuts, what was left out."""
        return self._reader.report.facts()

    def read(self, files: Sequence[str], valid_files: Sequence[str]) -> None:
        """Read the files, drop duplicates and reprints, and split the texts into train and valid.

        Raises CorpusError for what cannot be read, or is too little to split.
        """
        self._take_train(files)
        if valid_files:
            self._take_valid(valid_files)
        self._split(has_valid=bool(valid_files))
        if not self._holds("train") or not self._holds("valid"):
            raise CorpusError(
                f"too small to split: the corpus has {counted(self.num_characters, 'character')}, "
                "and both training and validation need some"
            )
        self._count()

    def gather(self, files: Sequence[str]) -> None:
        """Read the files and drop duplicates and reprints, without a split: all is train.

        Raises CorpusError for what cannot be read.
        """
        self._take_train(files)
        if self.split == "documents" and not self._options.keeps_reprints:
            self._drop_reprints()
        self._count()

    def _split(self, *, has_valid: bool) -> None:
        """Drop reprints, and choose what validates where no texts to validate on were named."""
        if self.split == "contiguous":
            if not has_valid:
                self._hold_out_end(self._options.valid_fraction)
            return
        links = [] if self._options.keeps_reprints else self._drop_reprints()
        if not has_valid:
            self._hold_out_documents(links)
        elif not self._holds("valid"):
            raise CorpusError(_nothing_to_validate(self.num_reprints))

    def _drop_reprints(self) -> list[Link]:
        """Drop reprints; the links of what is left, by its places among the entries."""
        links, sizes = self._lines.links(), self._lines.num_lines
        dropped = reprinted(links, sizes)
        is_valid = [entry.part == "valid" for entry in self._entries]
        dropped |= smaller_across(links, sizes, is_valid, dropped)
        places = {}
        kept: list[_Entry] = []
        for at, entry in enumerate(self._entries):
            if at not in dropped:
                places[at] = len(kept)
                kept.append(entry)
        self._entries, self.num_reprints = kept, len(dropped)
        return [
            Link(places[link.first], places[link.second], link.share)
            for link in links
            if link.first in places and link.second in places
        ]

    def _count(self) -> None:
        """Count the characters of what was kept, and hash it."""
        self.num_characters = 0
        for entry in self._entries:
            for piece in self._pieces_of(entry):
                self._hash.update(piece.encode())
                self.counts.add(piece)
                self.num_characters += len(piece)

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

    def _take_train(self, files: Sequence[str]) -> None:
        self._take_all(files, "train")
        if self._is_blank:
            raise CorpusError(why_blank(files, self.reading))

    def _take_valid(self, files: Sequence[str]) -> None:
        self._is_blank = True
        before = self.num_duplicates
        self._take_all(files, "valid")
        if self._is_blank and self.num_duplicates > before:
            raise CorpusError(_nothing_to_validate(self.num_duplicates - before))
        if self._is_blank:
            raise CorpusError(f"valid_corpus: {why_blank(files, self.reading)}")

    def _take_all(self, files: Sequence[str], part: Part) -> None:
        for name in files:
            for number, document in enumerate(self._reader.read(name), 1):
                if self.split == "documents":
                    self._take_document(document, name, number, part)
                else:
                    self._append(document.text, _Entry(0, 0, b"", file=name, part=part))
        if self.split == "contiguous":
            self._mark_opening(part)

    def _take_document(self, document: Document, file: str, number: int, part: Part) -> None:
        digest = document_digest(document.text.encode())
        if not self._seen.is_duplicate(digest):
            entry = _Entry(0, 0, digest, opens_document=True, file=file, number=number, part=part)
            entry.author = document.author
            self._append(document.text, entry)
            if not self._options.keeps_reprints:
                self._lines.add(document.text)

    def _append(self, text: str, entry: _Entry) -> None:
        """Write a text to the file, and its place into its entry."""
        raw = text.encode()
        self.num_characters += len(text)
        self._is_blank = self._is_blank and is_blank(text)
        entry.offset, entry.num_bytes = self._file.seek(0, 2), len(raw)
        self._file.write(raw)
        self._entries.append(entry)

    def _mark_opening(self, part: Part) -> None:
        opening = next((entry for entry in self._entries if entry.part == part), None)
        if opening is not None:
            opening.opens_document = True

    def _hold_out_documents(self, links: Sequence[Link]) -> None:
        if len(self._entries) < 2:
            entry = self._entries[0]
            text = self._read_at(entry.offset, entry.num_bytes).decode()
            copies = self.num_duplicates + self.num_reprints
            raise CorpusError(why_one_document(text, self._options.document_separator, copies))
        authors = [entry.author for entry in self._entries] if self._options.by_author else []
        digests = [entry.digest for entry in self._entries]
        keys = split_keys(digests, [(link.first, link.second) for link in links], authors)
        is_held_out = held_out_documents(keys, self._options.valid_fraction)
        for entry, validates in zip(self._entries, is_held_out, strict=True):
            if validates:
                entry.part = "valid"

    def _hold_out_end(self, fraction: float) -> None:
        """Hold out the end of the whole text; the piece that the cut falls in becomes two."""
        wanted = num_held_out_characters(self.num_characters, fraction)
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


def _nothing_to_validate(known: int) -> str:
    why = f"all of its documents ({known:,}) are in the corpus, too"
    return f"valid_corpus: nothing to validate on: {why}"


def _last_utf8_cut(raw: bytes) -> int:
    """Find where to cut UTF-8 text: after its last line end, else before its last character."""
    after_newline = raw.rfind(b"\n") + 1
    if after_newline > 0:
        return after_newline
    continuation = 0b10
    return next(at for at in range(len(raw) - 1, -1, -1) if raw[at] >> 6 != continuation)
