"""Reprints: documents that share many lines, found by the lines themselves.

Lines are compared by their consonants, so that spelling, punctuation and line numbers of editions
do not hide what is the same ("shepheard", "shepherd"). All are kept, as hashes of 8 bytes: verse
has so few lines that a sketch of each document (MinHash, Broder 1997: 128 hashes) would be larger
than its lines, and could not tell a poem within a book. Lines that many documents have (refrains,
doxologies) link none. Knows nothing of files and splits.
"""

import unicodedata
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

FEWEST_LINES = 2  # shared lines that say something
REPRINT_SHARE = 0.6  # of the smaller document's lines: it is the same again
LINKED_SHARE = 0.2  # of the smaller document's lines: it must not be on the other side
MOST_SHARING = 24  # documents; a line that more have is nobody's
_SHORTEST_LATIN, _SHORTEST_OTHER = 10, 5  # letters of a line that says something
_PUNCTUATION = (
    *range(0x80),
    *range(0xA0, 0xC0),
    *range(0x2000, 0x2070),
    *range(0x3000, 0x3040),
    *range(0xFF00, 0xFF66),
)


def _consonant(code: int) -> int | None:
    """Consonant that a Latin letter is compared by; none for vowels and what is no letter."""
    letter = unicodedata.normalize("NFD", chr(code))[0].lower()
    return None if letter in "aeiouy" or not letter.isalpha() else ord(letter)


_TABLE: dict[int, int | None] = {
    code: _consonant(code) for code in (*_PUNCTUATION, *range(0xC0, 0x180))
}
_TABLE[ord("\n")] = ord("\n")

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


class LineIndex:
    """Index of the lines of documents, added one after the other and known by their numbers."""

    def __init__(self) -> None:
        self._hashes = array("q")
        self._counts = array("q")  # different lines of each document

    def add(self, text: str) -> None:
        """Take the lines of the next document."""
        # In a tune's notation vowels are notes.
        letters = text if text.startswith("X:") else text.translate(_TABLE)
        keys = {
            hash(key)
            for key in letters.split("\n")
            if len(key) >= _SHORTEST_LATIN or (len(key) >= _SHORTEST_OTHER and not key.isascii())
        }
        self._hashes.extend(keys)
        self._counts.append(len(keys))

    def links(self) -> "list[Link]":
        """Find all pairs of documents that share LINKED_SHARE of the smaller's lines or more."""
        counts = np.array(self._counts, np.int64)
        first, second, shared = self._shared(counts)
        smaller = np.minimum(counts[first], counts[second])
        is_link = (shared >= FEWEST_LINES) & (shared >= LINKED_SHARE * smaller)
        return [
            Link(*link)
            for link in zip(
                first[is_link].tolist(),
                second[is_link].tolist(),
                (shared / np.maximum(smaller, 1))[is_link].tolist(),
                strict=True,
            )
        ]

    @property
    def num_lines(self) -> Sequence[int]:
        """Number of different lines of each document that are compared."""
        return self._counts

    def _shared(self, counts: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Pairs of documents that share lines, and how many they share."""
        owners = np.repeat(np.arange(len(counts)), counts)
        hashes = np.frombuffer(self._hashes, np.int64)
        order = np.argsort(hashes, kind="stable")
        hashes, owners = hashes[order], owners[order]
        begins = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
        sizes = np.diff(np.r_[begins, len(hashes)])
        is_telling = np.repeat((sizes > 1) & (sizes <= MOST_SHARING), sizes)
        hashes, owners = hashes[is_telling], owners[is_telling]
        pairs = [np.zeros(0, np.int64)]
        for apart in range(1, MOST_SHARING):
            is_same = hashes[apart:] == hashes[:-apart]
            if not is_same.any():
                break
            pairs.append(owners[:-apart][is_same] * len(counts) + owners[apart:][is_same])
        codes, shared = np.unique(np.concatenate(pairs), return_counts=True)
        return codes // max(len(counts), 1), codes % max(len(counts), 1), shared


@dataclass(frozen=True, slots=True)
class Link:
    """Two documents that share lines, and which share of the smaller's lines that is."""

    first: int
    second: int
    share: float


def reprinted(links: Iterable[Link], sizes: Sequence[int]) -> set[int]:
    """Choose the documents to leave out: all but the largest of those that are the same.

    `sizes` are the numbers of their lines; of two as large the earlier is kept.
    """
    larger: dict[int, list[int]] = {}
    for link in links:
        if link.share >= REPRINT_SHARE:
            kept, lost = sorted((link.first, link.second), key=lambda at: (-sizes[at], at))
            larger.setdefault(lost, []).append(kept)
    dropped: set[int] = set()
    for document in sorted(larger, key=lambda at: (-sizes[at], at)):
        if any(kept not in dropped for kept in larger[document]):
            dropped.add(document)
    return dropped


def smaller_across(
    links: Iterable[Link], sizes: Sequence[int], is_valid: Sequence[bool], dropped: Collection[int]
) -> set[int]:
    """Choose the documents to leave out so that none in train is linked with one in valid.

    The smaller of the two, and of two as large the one in train.
    """
    lost: set[int] = set()
    for link in links:
        pair = (link.first, link.second)
        if is_valid[link.first] != is_valid[link.second] and not any(
            at in dropped or at in lost for at in pair
        ):
            lost.add(min(pair, key=lambda at: (sizes[at], is_valid[at])))
    return lost
