"""Stress patterns of words, and which of them fit a line at a place, as bits of one number.

A pattern has a character a syllable: / must stand on a strong place, x on a weak one, . on either.
Words have few patterns, so that a set of them is 64 bits: what a line still takes at a place is one
such set, and an AND with the words below a letter says whether it can go on. Knows nothing of
letters and of models.
"""

from collections.abc import Iterable

import numpy as np

from verse.composer.kernels.arrays import Bits
from verse.forms import MAX_SYLLABLES
from verse.prosody.pronunciation import Pronunciation

MAX_PATTERNS = 64
ALWAYS_WEAK = frozenset({"a", "an", "the"})


def pattern_of(word: str, reading: Pronunciation) -> str:
    """Pattern of a word's reading: where stress must and must not stand in a line.

    Words of one syllable are as strong as the line makes them, articles excepted. In longer words
    the main stress is strong and its neighbours are weak; a syllable further off may be lifted.
    """
    stresses = reading.stresses
    if len(stresses) == 1:
        return "x" if word in ALWAYS_WEAK else "."
    places = ["/" if stress == "1" else "." for stress in stresses]
    for place in range(len(places)):
        neighbours = stresses[max(0, place - 1) : place + 2]
        if stresses[place] != "1" and "1" in neighbours:
            places[place] = "x"
    return "".join(places)


class PatternSet:
    """Numbering of the patterns that a lexicon's words have, at most 64 of them."""

    def __init__(self, patterns: Iterable[str]) -> None:
        """`patterns` come with the most frequent first; those beyond the 64th are left out."""
        self.patterns = tuple(dict.fromkeys(patterns))[:MAX_PATTERNS]
        self._place = {pattern: place for place, pattern in enumerate(self.patterns)}
        self.lengths = np.array([len(pattern) for pattern in self.patterns], np.int64)

    def bits(self, patterns: Iterable[str]) -> int:
        """Set of patterns as bits; those without a number are left out."""
        return sum({1 << self._place[each] for each in patterns if each in self._place})

    def fitting(self, template: str, least: int) -> tuple[Bits, Bits]:
        """Patterns that a line takes after p syllables: those it goes on after, those it ends with.

        `template` has a place for each of the most syllables that the line may have, . where any
        will do; the line may end from `least` syllables on. Two arrays (MAX_SYLLABLES + 1,).
        """
        going, ending = (np.zeros(MAX_SYLLABLES + 1, np.uint64) for _ in range(2))
        for place, pattern in enumerate(self.patterns):
            bit = np.uint64(1 << place)
            for start in range(len(template) - len(pattern) + 1):
                end = start + len(pattern)
                if fits(pattern, template[start:end]):
                    if end < len(template):
                        going[start] |= bit
                    if end >= least:
                        ending[start] |= bit
        return going, ending


def fits(pattern: str, places: str) -> bool:
    """Check whether a word of this pattern can stand on these places, x, / or . each."""
    return all(
        "." in (mine, place) or mine == place for mine, place in zip(pattern, places, strict=True)
    )
