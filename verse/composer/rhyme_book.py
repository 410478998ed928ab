"""Rhyme book of a poem: which rhyme each letter has, what has been used, and what may still be.

A letter's rhyme is set by its first line, or by any line of it whose last word is given, wherever
it stands. No rhyme serves two letters, and no word ends two lines. Words of several readings are
taken with all of them: none that might rhyme where it must not, none that might not where it must.
Knows nothing of networks.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from verse.composer.kernels.arrays import Bits, Flags, Floats
from verse.composer.lexicon import RhymeWord, heard_rhymes
from verse.composer.line_rules import Diction, ending_patterns
from verse.forms import LineSpec, PoemSpec
from verse.prosody.line_words import LineWord, line_words
from verse.prosody.readings import readings

RICH_CLASS = 20  # words from which a rhyme is as welcome as any
POOR_CLASS = 8  # and below which no line begins one
WORDS_A_LINE = 4  # that a class must have for each of its further lines


@dataclass(slots=True)
class Letter:
    """Letter of a rhyme scheme: the sounds of its lines' last words so far."""

    rhymes: frozenset[str] | None = None  # of which a further word may have any
    onsets: set[str] = field(default_factory=set)


class RhymeBook:
    """Rhymes of one poem as it is written."""

    def __init__(self, diction: Diction, spec: PoemSpec) -> None:
        self._diction, self.lexicon = diction, diction.lexicon
        self._letters: dict[str, Letter] = defaultdict(Letter)
        lines = [line for line in spec.lines if line.rhyme and line.refrain is None]
        self._num_lines = Counter(line.rhyme for line in lines)
        self._lengths: dict[str | None, set[int]] = defaultdict(set)
        for line in lines:
            self._lengths[line.rhyme] |= rhyme_lengths(line)
        size = len(self.lexicon.words)
        self._is_used: Flags = np.zeros(size, np.bool_)  # as a line's last word
        self._is_taken: Flags = np.zeros(size, np.bool_)  # by a rhyme that is used already
        self._classes_by_length: dict[frozenset[int], list[tuple[list[int], int]]] = {}

    def note(self, line: LineSpec, text: str) -> None:
        """Note the word that bears the rhyme of a line which stands, whoever wrote it."""
        words, letter = rhyming_words(line, text), line.rhyme
        if not words:
            return
        known = readings(words[-1].text)
        # At a line's end a word is stressed where it can be: `can` does not rhyme with `done`.
        stressed = [each for each in known if "1" in each.stresses or "2" in each.stresses]
        rhymes = frozenset(each.rhyme for each in stressed or known)
        for rhyme in heard_rhymes(known):
            self._is_taken[self.lexicon.words_by_rhyme.get(rhyme, [])] = True
        self._is_used[self.lexicon.numbers_of([words[-1].text.casefold()])] = True
        if letter is not None:
            mine = self._letters[letter]
            if mine.rhymes is None or mine.rhymes & rhymes:
                mine.rhymes = rhymes if mine.rhymes is None else mine.rhymes & rhymes
            mine.onsets |= {each.onset for each in known}

    def reserve(self, line: LineSpec, texts: Sequence[str]) -> None:
        """Keep the rhymes of a line's alternatives for it, while its letter has many more."""
        for text in texts:
            words, letter = rhyming_words(line, text), line.rhyme
            needed = WORDS_A_LINE * self._num_lines[letter]
            if letter is None or len(self.partners(letter, line)) > needed:
                self._is_used[self.lexicon.numbers_of([words[-1].text.casefold()])] = True
                if letter is not None:
                    self._letters[letter].onsets |= {
                        each.onset for each in readings(words[-1].text)
                    }

    def is_set(self, letter: str | None) -> bool:
        """Check whether a letter has its rhyme already."""
        return letter is not None and self._letters[letter].rhymes is not None

    def partners(self, letter: str, line: LineSpec) -> list[RhymeWord]:
        """Words that may end a further line of a letter, the commonest first."""
        mine, patterns = self._letters[letter], self._diction.patterns
        fitting, lengths = ending_patterns(self.lexicon, line), self._wanted_lengths(line)
        return [
            each
            for rhyme in sorted(mine.rhymes or ())
            for each in self.lexicon.classes.get(rhyme, [])
            if each.onset not in mine.onsets
            and _has_length(each, lengths)
            and not self._is_used[each.word]
            and patterns[each.word] & fitting
        ]

    def partner_patterns(self, letter: str, line: LineSpec) -> Bits:
        """Patterns (W,) of `partners`, none for all other words."""
        patterns = np.zeros(len(self.lexicon.words), np.uint64)
        numbers = [each.word for each in self.partners(letter, line)]
        patterns[numbers] = self._diction.patterns[numbers]
        return patterns

    def opener_patterns(self, letter: str | None, line: LineSpec) -> Bits:
        """Patterns (W,) of the words that `last_weights` allows here, none for all other words."""
        fitting = self._diction.patterns & ending_patterns(self.lexicon, line)
        return np.where(self.last_weights(letter, line) > 0, fitting, np.uint64(0))

    def last_weights(self, letter: str | None, line: LineSpec) -> Floats:
        """Weigh each word (W,) as the last of a line that rhymes with none before it.

        No word is, where no rhyme has as many words as the letter has lines.
        """
        free = ~(self._is_used | self._is_taken)
        if letter is None:
            return np.where(free if self._num_lines else ~self._is_used, 1.0, 0.0)
        weights = np.zeros(len(self.lexicon.words))
        num_lines, classes = self._num_lines[letter], self._classes(self._wanted_lengths(line))
        wished = max(POOR_CLASS, WORDS_A_LINE * (num_lines - 1))
        needed = max(num_lines, min(wished, max((count for _, count in classes), default=0)))
        for numbers, count in classes:
            if count >= needed:
                weights[numbers] = min(1.0, count / RICH_CLASS)
        return np.where(free, weights, 0.0)

    def _classes(self, lengths: frozenset[int]) -> list[tuple[list[int], int]]:
        """Words of each rhyme of so many syllables, and how many sounds they have before it."""
        if lengths not in self._classes_by_length:
            banned = self._diction.banned
            classes = [
                [each for each in members if not banned[each.word] and _has_length(each, lengths)]
                for members in self.lexicon.classes.values()
            ]
            self._classes_by_length[lengths] = [
                ([each.word for each in members], len({each.onset for each in members}))
                for members in classes
            ]
        return self._classes_by_length[lengths]

    def _wanted_lengths(self, line: LineSpec) -> frozenset[int]:
        """Syllables of a rhyme on which all lines of the letter can end, or this; none: any."""
        lengths = self._lengths[line.rhyme]
        return frozenset(lengths if len(lengths) == 1 else rhyme_lengths(line))


def _has_length(word: RhymeWord, lengths: frozenset[int]) -> bool:
    return not lengths or word.syllables in lengths


def rhyme_lengths(line: LineSpec) -> set[int]:
    """Syllables that the rhyme has, by the last strong place of the line's metres; none: any."""
    return {len(template) - template.rindex("/") for template in line.templates if "/" in template}


def rhyming_words(line: LineSpec, text: str) -> tuple[LineWord, ...]:
    """Words of a line up to the one that bears its rhyme: all before its tail."""
    words = line_words(text)
    num_after = 0 if line.tail is None else len(line_words(line.tail))
    return words[: len(words) - num_after]
