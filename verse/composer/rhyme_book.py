"""Rhyme book of a poem: which rhyme each letter has, what has been used, and what may still be.

A letter's rhyme is set by its first line, or by any line of it whose last word is given, wherever
it stands. No rhyme serves two letters, and no word ends two lines. Words of several readings are
taken with all of them: none that might rhyme where it must not, none that might not where it must.
Knows nothing of networks.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from verse.composer.kernels.arrays import Bits, Flags, Floats
from verse.composer.lexicon import RhymeWord
from verse.composer.line_rules import Diction, rhyme_syllables, templates_of
from verse.forms import LineSpec
from verse.prosody.line_words import line_words
from verse.prosody.readings import readings

RICH_CLASS = 20  # words from which a rhyme is as welcome as any
POOR_CLASS = 8  # and below which no line begins one
WORDS_A_LINE = 4  # that a class must have for each of its further lines


@dataclass(slots=True)
class Letter:
    """What a letter's lines have so far: the sounds of their last words."""

    rhymes: frozenset[str] | None = None  # of which a further word may have any
    onsets: set[str] = field(default_factory=set)


class RhymeBook:
    """Rhymes of one poem as it is written."""

    def __init__(self, diction: Diction, letters: Iterable[str | None]) -> None:
        """`letters` are those of all lines that differ, in order."""
        self._diction, self._lexicon = diction, diction.lexicon
        self._letters: dict[str, Letter] = defaultdict(Letter)
        self._num_lines = {each: list(letters).count(each) for each in set(letters)}
        size = len(self._lexicon.words)
        self._is_used: Flags = np.zeros(size, np.bool_)  # as a line's last word
        self._is_taken: Flags = np.zeros(size, np.bool_)  # by a rhyme that is used already

    def note(self, letter: str | None, text: str) -> None:
        """Note the last word of a line that stands, whoever wrote it."""
        words = line_words(text)
        if not words:
            return
        known = readings(words[-1].text)
        rhymes = frozenset(each.rhyme for each in known)
        for rhyme in rhymes:
            self._is_taken[self._lexicon.words_by_rhyme.get(rhyme, [])] = True
        self._is_used[self._lexicon.numbers_of([words[-1].text.casefold()])] = True
        if letter is not None:
            mine = self._letters[letter]
            if mine.rhymes is None or mine.rhymes & rhymes:
                mine.rhymes = rhymes if mine.rhymes is None else mine.rhymes & rhymes
            mine.onsets |= {each.onset for each in known}

    def is_set(self, letter: str | None) -> bool:
        """Whether a letter has its rhyme already."""
        return letter is not None and self._letters[letter].rhymes is not None

    def partners(self, letter: str, line: LineSpec) -> list[RhymeWord]:
        """Words that may end a further line of a letter, the commonest first."""
        mine = self._letters[letter]
        length = rhyme_syllables(templates_of(line)[0][0])
        return [
            each
            for rhyme in sorted(mine.rhymes or ())
            for each in self._lexicon.classes.get(rhyme, [])
            if each.onset not in mine.onsets
            and (length is None or each.syllables == length)
            and not self._is_used[each.word]
            and not self._diction.banned[each.word]
        ]

    def partner_patterns(self, letter: str, line: LineSpec) -> Bits:
        """Patterns (W,) of `partners`, none for all other words."""
        patterns = np.zeros(len(self._lexicon.words), np.uint64)
        numbers = [each.word for each in self.partners(letter, line)]
        patterns[numbers] = self._diction.patterns[numbers]
        return patterns

    def opener_patterns(self, letter: str | None, line: LineSpec) -> Bits:
        """Patterns (W,) of the words that `last_weights` allows, none for all other words."""
        weights = self.last_weights(letter, line)
        return np.where(weights > 0, self._diction.patterns, np.uint64(0))

    def last_weights(self, letter: str | None, line: LineSpec) -> Floats:
        """How welcome each word (W,) is at the end of a line that rhymes with none before it."""
        free = ~(self._is_used | self._is_taken)
        if letter is None:
            return np.where(free if any(self._num_lines) else ~self._is_used, 1.0, 0.0)
        weights = np.zeros(len(self._lexicon.words))
        length = rhyme_syllables(templates_of(line)[0][0])
        needed = max(POOR_CLASS, WORDS_A_LINE * (self._num_lines.get(letter, 1) - 1))
        for members in self._lexicon.classes.values():
            sounds = {each.onset for each in members}
            if len(sounds) >= needed:
                for each in members:
                    if length is None or each.syllables == length:
                        weights[each.word] = min(1.0, len(sounds) / RICH_CLASS)
        return np.where(free, weights, 0.0)
