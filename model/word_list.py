"""Word list of a checkpoint: words of its training text, their counts, and what stands near them.

A file beside the weights, made in training, from which verse is composed: the trie of words that
may be written, which of them are names, and for frequent words those that occur near them more
often than by chance, by pointwise mutual information (Church & Hanks 1990). One xz stream:

    one line of JSON         format, number of words, of words with associates, of associates
    the words                a line each, the commonest first, those of one count by code points
    3 x words x uint32       counts: of all, in lower case, as a name (capital inside a line)
    associated x uint8       how many associates the first words have, a word each
    associates x uint16      the words near them: numbers of words, the nearest first
    associates x uint8       how near: PMI in half bits

Numbers are little-endian and stored by planes, all lowest bytes first, which xz packs better.
Everything is read back as it was counted: no number depends on the machine. Knows nothing of
files and of how it is counted.
"""

import json
import lzma
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.errors import CheckpointError, ParameterError
from model.xz_content import unpacked

MAX_WORDS, MAX_ASSOCIATED = 60_000, 8192  # words, and those of them that have associates
MAX_ASSOCIATES = 24  # of one word
MAX_BYTES = 1 << 23  # compressed
BITS_PER_LEVEL = 0.5
_MAX_RAW = 1 << 25  # bytes when unpacked

Counts = np.ndarray[tuple[int], np.dtype[np.uint32]]


class _Head(BaseModel):
    """First line of the file: how much follows."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: int = Field(ge=1, le=1)
    words: int = Field(ge=0, le=MAX_WORDS)
    associated: int = Field(ge=0, le=MAX_ASSOCIATED)
    associates: int = Field(ge=0, le=MAX_ASSOCIATED * MAX_ASSOCIATES)


class WordList:
    """Words of a training text, the commonest first, with counts and associates.

    `counts[i]` is how often `words[i]` occurs, `lower_counts[i]` how often in lower case and
    `capital_counts[i]` how often with a capital inside a line, behind a small letter, a comma or
    a semicolon, where only names have one. `serialized` is the file's content.
    """

    def __init__(self, serialized: bytes) -> None:
        """Read a file's content. Raises CheckpointError, which says what is wrong with it."""
        self.serialized = serialized
        head_line, _, body = unpacked(serialized, _MAX_RAW).partition(b"\n")
        try:
            head = _Head.model_validate_json(head_line)
        except ValidationError as error:
            problem = ParameterError.from_validation(error)
            raise CheckpointError(f"its first line is no head of a word list ({problem})") from None
        text_bytes = len(body) - 12 * head.words - head.associated - 3 * head.associates
        try:
            text = body[: max(text_bytes, 0)].decode()
        except UnicodeDecodeError as error:
            raise CheckpointError(f"its words are not UTF-8 at byte {error.start}") from None
        self.words: list[str] = text.splitlines()
        if len(self.words) != head.words or text_bytes != len(text.encode()):
            raise CheckpointError(f"its words are not {head.words:,}, as its first line says")
        rest = memoryview(body)[text_bytes:]
        counts, rest = rest[: 12 * head.words], rest[12 * head.words :]
        columns = _from_planes(counts, "<u4").reshape(3, head.words)
        self.counts: Counts = columns[0]
        self.lower_counts: Counts = columns[1]
        self.capital_counts: Counts = columns[2]
        self._read_associates(rest, head)

    def _read_associates(self, rest: memoryview, head: _Head) -> None:
        lengths = np.frombuffer(rest[: head.associated], np.uint8)
        at = head.associated + 2 * head.associates
        self._near = _from_planes(rest[head.associated : at], "<u2")
        self._levels = np.frombuffer(rest[at:], np.uint8)
        self._ends = np.cumsum(lengths, dtype=np.int64)
        is_sound = (
            head.associated <= head.words
            and int(lengths.sum()) == head.associates
            and (head.associates == 0 or int(self._near.max()) < head.associated)
        )
        if not is_sound:
            raise CheckpointError("its associates do not fit its words")

    @cached_property
    def index(self) -> dict[str, int]:
        """Place of each word in `words`."""
        return {word: place for place, word in enumerate(self.words)}

    def associates(self, word: str) -> list[tuple[str, float]]:
        """Words that occur near `word` more often than by chance, with their PMI in bits.

        The nearest first, at most MAX_ASSOCIATES; none for a word that is rare or not there.
        """
        place = self.index.get(word, len(self.words))
        if place >= len(self._ends):
            return []
        start, end = int(self._ends[place - 1]) if place > 0 else 0, int(self._ends[place])
        levels = self._levels[start:end].tolist()
        near = self._near[start:end].tolist()
        return [
            (self.words[other], BITS_PER_LEVEL * level)
            for other, level in zip(near, levels, strict=True)
        ]


def pack(
    words: Sequence[str],
    counts: Sequence[Sequence[int]],
    associates: Sequence[Sequence[tuple[int, int]]],
) -> WordList:
    """Pack a word list.

    `words` are sorted by falling count; `counts` are three columns: of all occurrences, of those
    in lower case, and as names. `associates` of the first words are (place, level) pairs, the
    nearest first, the level in half bits of PMI.
    """
    pairs = [pair for of_word in associates for pair in of_word]
    head = _Head(
        format=1, words=len(words), associated=len(associates), associates=len(pairs)
    ).model_dump()
    body = b"".join(
        [
            json.dumps(head).encode() + b"\n",
            "".join(f"{word}\n" for word in words).encode(),
            _planes(np.array(counts, "<u4").reshape(-1)),
            bytes(len(of_word) for of_word in associates),
            _planes(np.array([place for place, _ in pairs], "<u2")),
            bytes(level for _, level in pairs),
        ]
    )
    return WordList(lzma.compress(body, preset=9))


def _planes(numbers: "np.ndarray[tuple[int], np.dtype[np.unsignedinteger]]") -> bytes:
    """Bytes of `numbers`, the lowest of all first."""
    return numbers.view(np.uint8).reshape(len(numbers), numbers.itemsize).T.tobytes()


def _from_planes(
    content: memoryview, kind: str
) -> "np.ndarray[tuple[int], np.dtype[np.unsignedinteger]]":
    width = np.dtype(kind).itemsize
    planes = np.frombuffer(content, np.uint8).reshape(width, -1)
    return np.ascontiguousarray(planes.T).reshape(-1).view(kind)
