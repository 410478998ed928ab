"""Building of a copy index: documents are read once, their letters and lines become numbers.

What is kept of the text itself is a document's first line, at most 60 characters of it, and only
where a blank line stands below it, as under a title. Knows nothing of checkpoints.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from model.copies.copy_index import MAX_TITLE, CopyIndex, IndexedDocument, Numbers, pack
from model.copies.letter_signature import (
    GRAM,
    PER_BYTE,
    Bytes,
    Codes,
    hashes_of,
    letters_of,
    packed,
)
from training.data.document_store import StoredText

_NO_LETTERS = np.zeros(0, np.uint64)
_BEHIND_THE_END = np.zeros(GRAM - 1, np.uint64)


def copy_index_of(texts: Iterable[StoredText]) -> CopyIndex:
    """Make the copy index of texts; pieces of one document follow each other."""
    files: dict[str, int] = {}
    documents: list[IndexedDocument] = []
    signature = bytearray()
    current: _Document | None = None
    for text in texts:
        file = files.setdefault(Path(text.file).name, len(files))
        if current is None or (current.file, current.number) != (file, text.number):
            if current is not None:
                documents.append(current.finished(signature))
            current = _Document(file, text)
        current.add(text.text, signature)
    if current is not None:
        documents.append(current.finished(signature))
    return pack(list(files), documents, bytes(signature))


class _Document:
    """Document that is being read: what its last piece left to be joined to the next."""

    def __init__(self, file: int, first: StoredText) -> None:
        self.file, self.number = file, first.number
        self._title = _title(first.text)
        self._letters: Codes = _NO_LETTERS  # whose hashes need those that follow
        self._hashes: Bytes = np.zeros(0, np.uint8)  # too few for a byte
        self._lines: list[Numbers] = []
        self._open_line = 0  # letters of the line that goes on

    def add(self, text: str, signature: bytearray) -> None:
        letters, places = letters_of(text)
        self._write(np.concatenate([self._letters, letters]), signature)
        ends = np.flatnonzero(np.frombuffer(text.encode("utf-32-le"), np.uint32) == ord("\n"))
        bounds = np.concatenate([[0], np.searchsorted(places, ends), [len(letters)]])
        counts = np.diff(bounds).astype(np.uint32)
        counts[0] += self._open_line
        self._lines.append(counts[:-1])
        self._open_line = int(counts[-1])

    def finished(self, signature: bytearray) -> IndexedDocument:
        self._write(np.concatenate([self._letters, _BEHIND_THE_END]), signature)
        missing = -len(self._hashes) % PER_BYTE
        signature += packed(np.concatenate([self._hashes, np.zeros(missing, np.uint8)]))
        last = np.array([self._open_line], np.uint32)
        return IndexedDocument(
            file=self.file,
            number=self.number,
            title=self._title,
            line_letters=np.concatenate([*self._lines, last]),
        )

    def _write(self, letters: Codes, signature: bytearray) -> None:
        found = hashes_of(letters)
        self._letters = letters[len(found) :]
        hashes = np.concatenate([self._hashes, found])
        whole = len(hashes) // PER_BYTE * PER_BYTE
        signature += packed(hashes[:whole])
        self._hashes = hashes[whole:]


def _title(text: str) -> str:
    first, _, rest = text.partition("\n")
    return first.strip()[:MAX_TITLE] if rest.startswith("\n") else ""
