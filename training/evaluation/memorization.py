"""Memorization: how much of a text stands word for word in the training text (suffix array).

The suffix array (Manber & Myers 1993) lists where the suffixes of a text begin, in alphabetical
order; what begins with a passage is then found by bisection. It is built by doubling, and each
round sorts only the suffixes that are still tied, as in Larsson & Sadakane 2007. A long text is
searched in blocks that overlap by as much as could match, so that memory does not grow with it
and nothing is missed. Knows nothing of files, models and words.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BLOCK = 1 << 23  # characters whose suffixes are sorted at once: half a gigabyte of memory

Integers = np.ndarray[tuple[int], np.dtype[np.integer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memorization:
    """Longest copied passage and mean match length of texts with the text they may be copied from.

    `mean_length` is over every place of the texts: the length of the longest passage from there
    on that stands in the other text, too.
    """

    longest: int
    passage: str
    mean_length: float


def memorization_of(texts: Sequence[str], lengths: Sequence[Integers]) -> Memorization:
    """Summarise what `longest_matches` found in `texts`; no passage spans two texts."""
    best, passage = 0, ""
    for text, found in zip(texts, lengths, strict=True):
        if len(found) and found.max() > best:
            start = int(found.argmax())
            best = int(found[start])
            passage = text[start : start + best]
    places = sum(len(found) for found in lengths)
    total = sum(int(found.sum()) for found in lengths)
    return Memorization(longest=best, passage=passage, mean_length=total / max(places, 1))


def longest_matches(texts: Sequence[str], source: str, *, block: int = BLOCK) -> list[Integers]:
    """Count, for every place of each text, the characters from there on that stand in `source`."""
    lengths: list[Integers] = [np.zeros(len(text), dtype=np.int64) for text in texts]
    overlap = max(map(len, texts), default=0)
    for start in range(0, len(source), block):
        searched = source[start : start + block + overlap]
        suffixes = suffix_array(searched)
        for found, text in zip(lengths, texts, strict=True):
            np.maximum(found, _matches(text, searched, suffixes), out=found)
    return lengths


def _matches(text: str, source: str, suffixes: Integers) -> Integers:
    """Find the longest matches of one text within one block.

    A match from one place holds one from the next that is shorter by one, so the ends of the
    matches only move forward, and two searches a character are enough.
    """
    lengths = np.zeros(len(text), dtype=np.int64)
    end = 0
    for start in range(len(text)):
        end = max(end, start)
        while end < len(text) and _holds(source, suffixes, text[start : end + 1]):
            end += 1
        lengths[start] = end - start
    return lengths


def _holds(source: str, suffixes: Integers, passage: str) -> bool:
    def beginning(start: int) -> str:
        return source[start : start + len(passage)]

    at = bisect_left(suffixes, passage, key=beginning)
    return at < len(suffixes) and beginning(suffixes[at]) == passage


def suffix_array(text: str) -> Integers:
    """Sort where the suffixes of `text` begin, in the order of their code points."""
    if not text:
        return np.zeros(0, dtype=np.int64)
    keys, depth = _beginnings(text)
    order = np.argsort(keys)
    # A rank is the first place that a suffix may have in `order`, by as much as is sorted yet.
    firsts = _firsts(keys[order])
    ranks = np.empty_like(firsts)
    ranks[order] = firsts
    tied = np.flatnonzero(_is_tied(firsts))
    del keys, firsts
    while len(tied):
        starts = order[tied]
        keys = ranks[starts] * (len(text) + 1) + _rank_at(ranks, starts + depth)
        by_key = np.argsort(keys)
        starts = starts[by_key]
        firsts = tied[_firsts(keys[by_key])]
        order[tied], ranks[starts] = starts, firsts
        tied = tied[_is_tied(firsts)]
        depth *= 2
    return order


def _beginnings(text: str) -> tuple[Integers, int]:
    """Pack the first characters of every suffix into one number; with how many they are."""
    code_points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    is_used = np.zeros(int(code_points.max()) + 1, dtype=bool)
    is_used[code_points] = True
    symbols = np.cumsum(is_used)[code_points]  # from 1: nothing, behind the end, is 0
    bits = int(is_used.sum()).bit_length()
    depth = 63 // bits
    keys = np.zeros(len(text), dtype=np.int64)
    for offset in range(depth):
        keys <<= bits
        keys[: max(0, len(text) - offset)] |= symbols[offset:]
    return keys, depth


def _firsts(keys: Integers) -> Integers:
    """Find, for every place of sorted `keys`, the first that holds the same key."""
    places = np.arange(len(keys))
    places[1:][keys[1:] == keys[:-1]] = 0
    return np.maximum.accumulate(places)


def _is_tied(firsts: Integers) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    tied = np.zeros(len(firsts), dtype=bool)
    same = firsts[1:] == firsts[:-1]
    tied[1:] = same
    tied[:-1] |= same
    return tied


def _rank_at(ranks: Integers, places: Integers) -> Integers:
    """Look up the ranks of suffixes, from 1 on; behind the end of the text, 0."""
    inside = np.minimum(places, len(ranks) - 1)
    return np.where(places < len(ranks), ranks[inside] + 1, 0)
