"""Vocabulary of a corpus: characters counted within bounded memory, and the tokenizer learned.

A character vocabulary keeps the most frequent characters until they cover the wanted share of
the text; the rest become `<unk>`, which training sees, so that its embedding is trained.
Knows nothing of files.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from model.tokenizer import Tokenizer, TokenizerKind
from model.tokenizer_training import train_tokenizer

NUM_CODE_POINTS = 0x110000
FLUSH_CHARACTERS = 1 << 20
SAMPLE_CHARACTERS = 20_000_000  # a subword vocabulary is learned from at most this much text


class CharacterCounts:
    """Counts of each character in a corpus."""

    def __init__(self) -> None:
        self._counts = np.zeros(NUM_CODE_POINTS, dtype=np.int64)
        self._pending: list[str] = []
        self._num_pending = 0

    def add(self, text: str) -> None:
        """Count the characters of `text`."""
        for start in range(0, len(text), FLUSH_CHARACTERS):
            piece = text[start : start + FLUSH_CHARACTERS]
            self._pending.append(piece)
            self._num_pending += len(piece)
            if self._num_pending >= FLUSH_CHARACTERS:
                self._flush()

    def _flush(self) -> None:
        raw = "".join(self._pending).encode("utf-32-le")
        counts = np.bincount(np.frombuffer(raw, dtype=np.uint32))
        self._counts[: len(counts)] += counts
        self._pending, self._num_pending = [], 0

    def by_frequency(self) -> Iterator[tuple[str, int]]:
        """List the characters of the corpus and their counts, the most frequent first."""
        self._flush()
        for code_point in self._order():
            yield chr(code_point), int(self._counts[code_point])

    def _order(self) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        """Code points of the characters that occur, the most frequent first."""
        order = np.argsort(-self._counts, kind="stable")
        return order[: int(np.count_nonzero(self._counts))]

    def most_frequent(self, coverage: float) -> str:
        """Find the fewest characters, most frequent first, that cover this share of the text."""
        self._flush()
        order = self._order()
        covered = np.cumsum(self._counts[order])
        needed = 1 + int(np.searchsorted(covered, coverage * covered[-1])) if len(order) else 0
        return "".join(chr(code_point) for code_point in order[:needed])


def learn_tokenizer(
    texts: Iterable[str],
    counts: CharacterCounts,
    *,
    kind: TokenizerKind,
    vocab_size: int,
    coverage: float,
) -> Tokenizer:
    """Learn a corpus's tokenizer. Raises TokenizerError when the text is too small for it.

    `texts` are read only for the subword kinds, and no further than SAMPLE_CHARACTERS.
    """
    if kind == "char":
        return train_tokenizer([counts.most_frequent(coverage)], kind="char")
    return train_tokenizer(_sample(texts), kind=kind, vocab_size=vocab_size)


def _sample(texts: Iterable[str]) -> Iterator[str]:
    taken = 0
    for text in texts:
        if taken >= SAMPLE_CHARACTERS:
            return
        taken += len(text)
        yield text
