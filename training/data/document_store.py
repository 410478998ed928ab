"""Documents on their way from files to ids: kept on disk, with only an index in memory.

Reading, normalising and counting happen once; then the split is known and the texts can be
read again, part by part, as often as needed. This is also what lets standard input be a corpus.
Knows nothing of ids and vocabularies.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Literal

from training.data.document_reader import SplitKind, read_texts
from training.data.vocabulary import CharacterCounts
from training.errors import CorpusError

Part = Literal["train", "valid"]

DIGEST_BYTES = 16
PIECE_BYTES = 1 << 20  # encoding takes twenty times the memory of what it is given at once


@dataclass(slots=True)
class _Entry:
    """Where one text lies in the spool, and where it goes."""

    offset: int
    num_bytes: int
    digest: bytes
    opens_document: bool
    part: Part = "train"


class Spool:
    """The texts of a corpus, split into train and valid."""

    def __init__(self, file: IO[bytes], split: SplitKind, separator: str) -> None:
        self.split = split
        self.counts = CharacterCounts()
        self.duplicates = 0
        self._separator = separator
        self._file = file
        self._hash = hashlib.sha256()
        self._seen: set[bytes] = set()
        self._entries: list[_Entry] = []
        self._num_characters = 0

    @property
    def text_sha256(self) -> str:
        """The SHA-256 of all texts that were kept, in order."""
        return self._hash.hexdigest()

    def read(self, files: Sequence[str], valid_files: Sequence[str], fraction: float) -> None:
        """Take in the files and decide which text goes where. Raises CorpusError."""
        self._take_all(files, "train")
        if valid_files:
            self._take_valid(valid_files)
        elif self.split == "documents":
            self._hold_out_documents(fraction)
        else:
            self._hold_out_end(fraction)
        if not self._holds("train") or not self._holds("valid"):
            raise CorpusError(
                f"the corpus is too small to split: it has {self._num_characters} character(s), "
                "and both training and validation need some"
            )

    def _holds(self, part: Part) -> bool:
        return any(entry.part == part for entry in self._entries)

    def texts(self, part: Part) -> Iterator[tuple[str, bool]]:
        """The texts of one part in pieces, and whether each opens a document."""
        for entry in self._entries:
            if entry.part == part:
                opens_document = entry.opens_document
                for piece in self._pieces_of(entry):
                    yield piece, opens_document
                    opens_document = False

    def _pieces_of(self, entry: _Entry) -> Iterator[str]:
        """One text, cut at line ends; no token of a subword vocabulary reaches over one."""
        place, end = entry.offset, entry.offset + entry.num_bytes
        rest = b""
        while place < end:
            raw = rest + self._read_at(place, min(PIECE_BYTES, end - place))
            place = min(place + PIECE_BYTES, end)
            cut = len(raw) if place == end else _last_border(raw)
            yield raw[:cut].decode()
            rest = raw[cut:]

    def _take_valid(self, files: Sequence[str]) -> None:
        if not self._holds("train"):
            raise CorpusError("the corpus holds no text")
        before = self.duplicates
        self._take_all(files, "valid")
        if not self._holds("valid"):
            known = self.duplicates - before
            why = f"all of its {known} document(s) are in the corpus, too" if known else "no text"
            raise CorpusError(f"valid_corpus: nothing to validate on: {why}")

    def _take_all(self, files: Sequence[str], part: Part) -> None:
        for name in files:
            for text in read_texts(name, self.split, self._separator):
                if self.split == "documents":
                    self._take_document(text, part)
                else:
                    self._append(text, text.encode(), b"", part)
        if self.split == "contiguous":
            self._mark_opening(part)

    def _take_document(self, text: str, part: Part) -> None:
        raw = text.encode()
        digest = hashlib.blake2b(raw, digest_size=DIGEST_BYTES).digest()
        if digest in self._seen:
            self.duplicates += 1
            return
        self._seen.add(digest)
        self._append(text, raw, digest, part)

    def _append(self, text: str, raw: bytes, digest: bytes, part: Part) -> None:
        self._hash.update(raw)
        self.counts.add(text)
        self._num_characters += len(text)
        offset = self._file.seek(0, 2)
        self._file.write(raw)
        opens = self.split == "documents"
        self._entries.append(_Entry(offset, len(raw), digest, opens_document=opens, part=part))

    def _mark_opening(self, part: Part) -> None:
        opening = next((entry for entry in self._entries if entry.part == part), None)
        if opening is not None:
            opening.opens_document = True

    def _hold_out_documents(self, fraction: float) -> None:
        """By a document's own hash, so it stays on its side however the corpus grows."""
        if len(self._entries) < 2:
            raise CorpusError(
                f"the corpus is too small to split: it has {len(self._entries)} document(s); "
                f"part poems by {self._separator!r} (--document-separator), or use "
                "--split contiguous for one long text"
            )
        ranks = {entry.digest: int.from_bytes(entry.digest[:8]) / 2**64 for entry in self._entries}
        lowest, highest = min(ranks.values()), max(ranks.values())
        for entry in self._entries:
            # In a small corpus no hash may fall on one side of the fraction: each side gets one.
            rank = ranks[entry.digest]
            if rank != highest and (rank < fraction or rank == lowest):
                entry.part = "valid"

    def _hold_out_end(self, fraction: float) -> None:
        """The last characters of the whole; the text that the cut falls in becomes two."""
        wanted = self._num_characters - int(self._num_characters * (1 - fraction))
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
        tail = _Entry(
            entry.offset + head_bytes,
            entry.num_bytes - head_bytes,
            b"",
            opens_document=False,
            part="valid",
        )
        entry.num_bytes = head_bytes
        self._entries.insert(index + 1, tail)

    def _read_at(self, offset: int, num_bytes: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(num_bytes)


def _last_border(raw: bytes) -> int:
    """Where to cut UTF-8 text: after its last line end, else before its last character."""
    after_newline = raw.rfind(b"\n") + 1
    if after_newline > 0:
        return after_newline
    continuation = 0b10
    return next(at for at in range(len(raw) - 1, -1, -1) if raw[at] >> 6 != continuation)
