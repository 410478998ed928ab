"""Statistics of text: share of real words, distinct n-grams, repeated lines, lengths of lines and
stanzas.

A word is a run of letters, with the apostrophes inside it, in small letters. Scripts that are
written without spaces (Chinese, Japanese, Thai, Lao, Burmese, Khmer) have no words that a program
could see; there every pair of neighbouring characters stands for one, as in search engines (Nie,
Gao, Zhang & Zhou 2000). A stanza is a run of lines that are not empty.

Pure functions of text. Knows nothing of files and models.
"""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from training.data.word_splitting import LETTERS, UNSPACED

MAX_NGRAM = 4

_RUN = re.compile(f"{LETTERS}(?:['\u2019]{LETTERS})*")
_ONE_SCRIPT = re.compile(f"[{UNSPACED}]+|[^{UNSPACED}]+")
_IS_UNSPACED = re.compile(f"[{UNSPACED}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthSummary:
    """Summary of lengths: mean, standard deviation, and five quantiles in percent."""

    mean: float
    sd: float
    p5: float
    p25: float
    p50: float
    p75: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TextStatistics:
    """Statistics of some documents. What there is nothing to count for is None.

    `real_words` is the share of words that the known ones hold; `distinct_words[n - 1]` the
    share of different ones among the runs of n words (Li et al. 2016), none over two documents;
    `repeated_lines` the share of lines, empty ones apart, that occurred before in these texts.
    """

    characters: int
    documents: int
    words: int
    lines: int
    real_words: float | None
    distinct_words: tuple[float | None, ...]
    repeated_lines: float | None
    line_characters: LengthSummary | None
    stanza_lines: LengthSummary | None
    document_lines: LengthSummary | None


def text_statistics(
    documents: Sequence[str], known: Container[str], *, are_whole: bool = True
) -> TextStatistics:
    """Compute the statistics of `documents`; words are looked up among the `known` ones.

    With `are_whole` unset they are excerpts, the length of which says nothing.
    """
    found = [list(words(document)) for document in documents]
    every = [word for of_document in found for word in of_document]
    stanzas = [stanza for document in documents for stanza in stanzas_of(document)]
    lines = [line for stanza in stanzas for line in stanza]
    whole = documents if are_whole else ()
    return TextStatistics(
        characters=sum(map(len, documents)),
        documents=len(documents),
        words=len(every),
        lines=len(lines),
        real_words=_share(sum(word in known for word in every), len(every)),
        distinct_words=tuple(_distinct(found, n) for n in range(1, MAX_NGRAM + 1)),
        repeated_lines=_share(len(lines) - len(set(lines)), len(lines)),
        line_characters=_length_summary([len(line) for line in lines]),
        stanza_lines=_length_summary([len(stanza) for stanza in stanzas]),
        document_lines=_length_summary([sum(map(len, stanzas_of(document))) for document in whole]),
    )


def words(text: str) -> Iterator[str]:
    """Split `text` into words, in order."""
    for match in _RUN.finditer(text):
        run = match.group().casefold()
        if run.isascii() or not _IS_UNSPACED.search(run):
            yield run.replace("\u2019", "'")
            continue
        for part in _ONE_SCRIPT.findall(run):
            yield from _pairs(part) if _IS_UNSPACED.match(part) else [part]


def _pairs(run: str) -> Iterable[str]:
    return map("".join, pairwise(run)) if len(run) > 1 else [run]


def stanzas_of(document: str) -> list[list[str]]:
    """Split a document into stanzas of lines, without the spaces around them."""
    stanzas: list[list[str]] = [[]]
    for line in (line.strip() for line in document.split("\n")):
        if line:
            stanzas[-1].append(line)
        elif stanzas[-1]:
            stanzas.append([])
    return [stanza for stanza in stanzas if stanza]


def _distinct(documents: Sequence[Sequence[str]], n: int) -> float | None:
    ngrams = [
        tuple(found[start : start + n])
        for found in documents
        for start in range(len(found) - n + 1)
    ]
    return _share(len(set(ngrams)), len(ngrams))


def _share(count: int, whole: int) -> float | None:
    return count / whole if whole else None


def _length_summary(lengths: Sequence[int]) -> LengthSummary | None:
    if not lengths:
        return None
    quantiles = {f"p{at}": float(np.percentile(lengths, at)) for at in (5, 25, 50, 75, 95)}
    return LengthSummary(mean=float(np.mean(lengths)), sd=float(np.std(lengths)), **quantiles)
