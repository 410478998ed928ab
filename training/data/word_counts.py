"""Counts of the words of a corpus: all occurrences, in lower case, and as names inside a line.

Texts are read once; what is kept is an index of the different words and, in a temporary file, the
number of each word in order, for `training.data.word_associations`. So memory grows with the
vocabulary, not with the text. Knows nothing of documents' places and of files.
"""

import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import IO

import numpy as np

from training.data.word_splitting import split_words

WINDOW = 10  # words to either side that count as near; as many gaps lie between two texts
MIN_COUNT = 4  # rarer words are mostly misspellings and names

_GAP = 0xFFFFFFFF
_CHUNK = 1 << 20  # words
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][^\W\d_]*(?:'[^\W\d_]+)*")

Numbers = np.ndarray[tuple[int], np.dtype[np.int32]]


class WordCounter:
    """Counter of words, and their sequence as numbers in `file`, a temporary one."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._numbers: defaultdict[str, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__  # a new word gets the next number
        self._counts = np.zeros(0, np.int64)
        self._names: Counter[str] = Counter()
        self._waiting = array("I")  # numbers that are not in the file yet

    def add(self, text: str, *, opens_document: bool) -> None:
        """Count the words of a text; one that opens a document is near none before."""
        text = text.replace("\u2019", "'")
        if opens_document:
            self._waiting.extend([_GAP] * WINDOW)
        self._waiting.extend(map(self._numbers.__getitem__, split_words(text)))
        self._names.update(_NAME.findall(text))
        if len(self._waiting) >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        """Count the waiting words and write them to the file."""
        found = np.array(self._waiting, np.uint32)
        counts = np.bincount(found[found != _GAP], minlength=len(self._numbers))
        counts[: len(self._counts)] += self._counts
        self._counts = counts
        self._file.write(found.tobytes())
        self._waiting = array("I")

    def words(self, most: int) -> list[tuple[str, int, int, int]]:
        """The `most` commonest words with their three counts, the commonest first."""
        self._flush()
        totals: Counter[str] = Counter()
        lower: Counter[str] = Counter()
        for raw, word, count in zip(
            self._numbers, self._own_forms(), self._counts.tolist(), strict=True
        ):
            totals[word] += count
            lower[word] += count if raw.lstrip("'")[0].islower() else 0
        names: Counter[str] = Counter()
        for name, count in self._names.items():
            names[name.lower()] += count
        kept = sorted(
            (word for word, count in totals.items() if count >= MIN_COUNT),
            key=lambda word: (-totals[word], word),
        )
        return [(word, totals[word], lower[word], names[word]) for word in kept[:most]]

    def _own_forms(self) -> list[str]:
        """Words as they are counted: in small letters, without the quotation marks around them.

        Of the forms with and without an apostrophe at an end the commonest is the word: 'tis and
        th', but come and not 'come.
        """
        small = [raw.lower() for raw in self._numbers]
        counts: Counter[str] = Counter()
        for word, count in zip(small, self._counts.tolist(), strict=True):
            counts[word] += count

        def own_form(word: str) -> str:
            if word[0] != "'" != word[-1]:
                return word
            forms = {word, word.removeprefix("'"), word.removesuffix("'"), word.strip("'")}
            return max(forms, key=lambda form: (counts[form], -len(form), form))

        return [own_form(word) for word in small]

    def sequence(self, places: dict[str, int], chunk_words: int = _CHUNK) -> Iterator[Numbers]:
        """The words in order as their `places`, in chunks; -1 for others and for gaps.

        Each chunk but the first begins with the last WINDOW of the one before.
        """
        table = np.array([*(places.get(word, -1) for word in self._own_forms()), -1], np.int32)
        self._file.seek(0)
        overlap = np.zeros(0, np.int32)
        while raw := self._file.read(4 * chunk_words):
            numbers = np.frombuffer(raw, np.uint32)
            chunk = np.concatenate([overlap, table[np.minimum(numbers, len(table) - 1)]])
            yield chunk
            overlap = chunk[-WINDOW:]
