"""Associates of the frequent words of a corpus: what occurs near them more often than by chance.

Words within ten of each other are counted, and ranked by pointwise mutual information (Church &
Hanks 1990), discounted where counts are small (as in Pantel & Lin 2002), without the commonest
words, which are near everything. All numbers are integers, or float64 quotients in a fixed order:
every machine makes the same list. Knows nothing of files and documents.
"""

import tempfile
from collections.abc import Iterable

import numpy as np

from model.word_list import MAX_ASSOCIATED, MAX_ASSOCIATES, MAX_WORDS, WordList, pack
from training.data.word_counts import WINDOW, Numbers, WordCounter

MIN_COUNT = 20  # of a word that has associates
MIN_PAIRS = 5  # of two words, to be associates at all
DISCOUNT = 20  # pairs at which a quotient counts half
COMMONEST = 32  # words that are associates of none
MAX_LEVEL = 63

# Powers of the square root of two: half a bit each, from 1 bit on.
_LEVELS = np.array(
    [2.0 ** (level // 2) * (2.0**0.5 if level % 2 else 1.0) for level in range(2, MAX_LEVEL)]
)

Pairs = np.ndarray[tuple[int, int], np.dtype[np.uint32]]


def word_list_of(texts: Iterable[tuple[str, bool]]) -> WordList:
    """Make the word list of texts, each with whether it opens a document.

    Takes, beside the vocabulary, a count for each pair of the most frequent words: 270 MB for
    8,192 of them, which a text of tens of megabytes has.
    """
    with tempfile.TemporaryFile() as file:
        counter = WordCounter(file)
        for text, opens_document in texts:
            counter.add(text, opens_document=opens_document)
        kept = counter.words(MAX_WORDS)
        frequent = [word for word, count, _, _ in kept[:MAX_ASSOCIATED] if count >= MIN_COUNT]
        places = {word: place for place, word in enumerate(frequent[COMMONEST:])}
        pairs = np.zeros((len(places), len(places)), np.uint32)
        for chunk in counter.sequence(places):
            _count_pairs(chunk, pairs)
    of_commonest: list[list[tuple[int, int]]] = [[] for _ in frequent[:COMMONEST]]
    return pack(
        [word for word, *_ in kept],
        [[counts[column] for _, *counts in kept] for column in range(3)],
        of_commonest + _associates(pairs),
    )


def _count_pairs(chunk: Numbers, pairs: Pairs) -> None:
    """Count the pairs of words whose second lies in `chunk` behind its overlap."""
    flat, size = pairs.reshape(-1), np.int64(len(pairs))
    for distance in range(1, WINDOW + 1):
        # Pairs within the overlap were counted with the chunk before.
        second = chunk[max(distance, WINDOW) :]
        first = chunk[max(distance, WINDOW) - distance : len(chunk) - distance]
        both = (first >= 0) & (second >= 0)
        np.add.at(flat, first[both] * size + second[both], 1)


def _associates(pairs: Pairs) -> list[list[tuple[int, int]]]:
    """Find the associates of each word but the commonest, as (place, level) pairs."""
    # Order within a pair says nothing: the sums over rows and columns are both sides'.
    near = pairs.sum(axis=0, dtype=np.int64) + pairs.sum(axis=1, dtype=np.int64)
    total = int(near.sum())
    found = []
    for place in range(len(pairs)):
        together = pairs[place].astype(np.int64) + pairs[:, place]
        together[place] = 0
        candidates = np.flatnonzero(together >= MIN_PAIRS)
        counts = together[candidates].astype(np.float64)
        quotients = counts * float(total) / (float(near[place]) * near[candidates])
        candidates = candidates[is_near := quotients >= _LEVELS[0]]
        counts, quotients = counts[is_near], quotients[is_near]
        ranks = quotients * (counts / (counts + DISCOUNT))
        nearest = np.argsort(-ranks, kind="stable")[:MAX_ASSOCIATES]
        levels = np.searchsorted(_LEVELS, quotients[nearest], side="right") + 1
        found.append(
            [
                (COMMONEST + int(candidates[at]), int(level))
                for at, level in zip(nearest, levels, strict=True)
            ]
        )
    return found
