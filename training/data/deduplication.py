"""Deduplication of documents: one whose text is exactly that of an earlier one is left out.

Compared are normalised texts, over all files of a corpus, those to validate on included, so no
document is in both parts. Near duplicates are kept, and one long text without documents is not
looked through. Knows nothing of files, splits and ids.
"""

import hashlib

DIGEST_BYTES = 16


def document_digest(text: bytes) -> bytes:
    """Hash a document's UTF-8 text (BLAKE2b): what deduplication and the split know it by."""
    return hashlib.blake2b(text, digest_size=DIGEST_BYTES).digest()


class Deduplicator:
    """Set of the documents seen so far, by their hashes, with a count of the duplicates."""

    def __init__(self) -> None:
        self.num_duplicates = 0
        self._seen: set[bytes] = set()

    def is_duplicate(self, digest: bytes) -> bool:
        """Look a document up by its hash, count it if it was seen before, else remember it."""
        if digest in self._seen:
            self.num_duplicates += 1
            return True
        self._seen.add(digest)
        return False
