"""Documents on their way from files to ids: kept on disk, with only an index in memory.

Reading, normalising and counting happen once; then the split is known and the texts can be
read again, part by part, as often as needed. This is also what lets standard input be a corpus.
Knows nothing of ids and vocabularies.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Literal

from training.errors import CorpusError
from training.reading import SplitKind, read_texts
from training.vocabulary import CharacterCounts

Part = Literal["train", "valid"]

DIGEST_BYTES = 16


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
            self._take_all(valid_files, "valid")
        elif self.split == "documents":
            self._hold_out_documents(fraction)
        else:
            self._hold_out_end(fraction)
        for part in ("train", "valid"):
            if not any(entry.part == part for entry in self._entries):
                raise CorpusError(f"the corpus is too small to split: nothing is left to {part}")

    def texts(self, part: Part) -> Iterator[tuple[str, bool]]:
        """The texts of one part, and whether each opens a document."""
        for entry in self._entries:
            if entry.part == part:
                yield self._read_at(entry.offset, entry.num_bytes), entry.opens_document

    def _take_all(self, files: Sequence[str], part: Part) -> None:
        for name in files:
            for text in read_texts(name, self.split, self._separator):
                if self.split == "documents":
                    self._take_document(text, part)
                else:
                    self._append(text, b"", part)
        if self.split == "contiguous":
            self._mark_opening(part)

    def _take_document(self, text: str, part: Part) -> None:
        digest = hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()
        if digest in self._seen:
            self.duplicates += 1
            return
        self._seen.add(digest)
        self._append(text, digest, part)

    def _append(self, text: str, digest: bytes, part: Part) -> None:
        raw = text.encode()
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
                "part poems by two blank lines, or use --split contiguous for one long text"
            )
        ranks = {entry.digest: int.from_bytes(entry.digest[:8]) / 2**64 for entry in self._entries}
        lowest = min(ranks.values())
        for entry in self._entries:
            # In a small corpus no hash may fall below the fraction: then the lowest goes.
            if ranks[entry.digest] < fraction or ranks[entry.digest] == lowest:
                entry.part = "valid"

    def _hold_out_end(self, fraction: float) -> None:
        """The last characters of the whole; the text that the cut falls in becomes two."""
        wanted = self._num_characters - int(self._num_characters * (1 - fraction))
        for index in range(len(self._entries) - 1, -1, -1):
            entry = self._entries[index]
            text = self._read_at(entry.offset, entry.num_bytes)
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

    def _read_at(self, offset: int, num_bytes: int) -> str:
        self._file.seek(offset)
        return self._file.read(num_bytes).decode()
