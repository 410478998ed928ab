"""Lexicon of a checkpoint: the words that it may write, how they are stressed and what rhymes.

Built when a checkpoint is first asked for verse: the words of its own training text that prosody
knows, or, where a checkpoint has no word list, those of the dictionary. Knows nothing of lines.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.count_in_words import counted
from model.errors import ModelError
from model.tokenizer import UNK_ID, Tokenizer
from model.word_list import WordList
from verse.composer.kernels.arrays import Bits, Places
from verse.composer.stress_patterns import ALWAYS_WEAK, PatternSet, pattern_of
from verse.composer.word_trie import WordTrie, trie_of
from verse.prosody.dictionary import dictionary_words
from verse.prosody.pronunciation import Pronunciation
from verse.prosody.readings import readings
from verse.prosody.verse_variants import is_one_breath

MIN_SHARE = 1e-6  # of the text's words, from which a word may be written
MIN_RHYME_SHARE = 4e-6  # and from which it may rhyme; where both are as frequent it is no misprint
MIN_COUNT = 3  # however short the text
MIN_NAME_SHARE = 0.02  # of a word's occurrences, from which it may have a capital within a line
MIN_LOWER_SHARE = 0.1  # below, it is a name and has no other form
MIN_WORDS = 100  # in all
MIN_ENGLISH = 0.5  # share of a text's words that English prosody knows
MARKS = ",;:.!?"
CLOSING = ".!?"
Row = tuple[str, int, bool | None]  # word, count in small letters, is it a name (None: also)
ONE_LETTER = frozenset({"a", "i", "o"})  # all others are initials


class NotEnglishError(ModelError):
    """Model whose vocabulary or words are not English, asked for what needs English prosody."""


@dataclass(frozen=True, slots=True)
class RhymeWord:
    """A word that may end a rhymed line: its number, its rhyme, and the consonants before it."""

    word: int
    rhyme: str
    onset: str
    syllables: int  # of the rhyme


class Lexicon:
    """Words of W numbers, each with its stress patterns and, where it is sure, its rhyme."""

    def __init__(self, tokenizer: Tokenizer, word_list: WordList | None) -> None:
        """Raises NotEnglishError, which says why, where prosody has nothing to say."""
        self.tokenizer = tokenizer
        self.has_counts = word_list is not None
        self.words, self.counts, names = _words_of(tokenizer, word_list)
        self.index = {word: number for number, word in enumerate(self.words)}
        self._readings = [readings(word) for word in self.words]
        self._min_rhyme_count = max(MIN_COUNT, round(MIN_RHYME_SHARE * sum(self.counts)))
        patterns = [
            list(dict.fromkeys(pattern_of(word, each) for each in full_readings(word, known)))
            for word, known in zip(self.words, self._readings, strict=True)
        ]
        frequency = Counter(pattern for each in patterns for pattern in each)
        self.patterns = PatternSet(pattern for pattern, _ in frequency.most_common())
        self.word_patterns: Bits = np.array(
            [self.patterns.bits(each) for each in patterns], np.uint64
        )
        self.trie = self._trie(names)

    def _trie(self, names: "list[bool | None]") -> WordTrie:
        """Trie of all forms: names (True) have a capital, words (False) none, None may have one."""
        id_of = _known_ids(self.tokenizer, self.words)
        middle, start = {}, {}
        for number, (word, is_name) in enumerate(zip(self.words, names, strict=True)):
            for form, stands in (
                (word, is_name is not True),
                (capitalised(word), is_name is not False),
            ):
                ids = tuple([id_of.get(char, UNK_ID) for char in form])
                if UNK_ID not in ids:
                    start[ids] = number
                    if stands:
                        middle[ids] = number
        return trie_of(list(middle.items()), list(start.items()))

    @cached_property
    def rhyme_words(self) -> dict[int, RhymeWord]:
        """Words that may rhyme: known for sure, all readings in one class, and common enough."""
        found = {}
        for number, known in enumerate(self._readings):
            word = self.words[number]
            enough = not self.has_counts or self.counts[number] >= self._min_rhyme_count
            if enough and word not in ALWAYS_WEAK and (sound := sure_rhyme(known)) is not None:
                found[number] = RhymeWord(number, *sound)
        return found

    @cached_property
    def classes(self) -> dict[str, list[RhymeWord]]:
        """Words of each rhyme, the commonest first."""
        classes: dict[str, list[RhymeWord]] = defaultdict(list)
        for each in self.rhyme_words.values():
            classes[each.rhyme].append(each)
        return dict(classes)

    @cached_property
    def words_by_rhyme(self) -> dict[str, Places]:
        """Numbers of the words that may be heard to have a rhyme, by any of their readings."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, known in enumerate(self._readings):
            for rhyme in heard_rhymes(known):
                found[rhyme].append(number)
        return {rhyme: np.array(numbers, np.int64) for rhyme, numbers in found.items()}

    def near_rhymes(self, word: str) -> list[str]:
        """Words that sound alike at the end without a full rhyme, the nearest in sound first.

        They share the last syllable's vowel and all that follows it, or what follows it.
        """
        sounds = [each.rhyme.split() for each in readings(word)]
        scored = []
        for rhyme, members in self.classes.items():
            shared = max((_shared_end(rhyme.split(), each) for each in sounds), default=0)
            others = [each.word for each in members if self.words[each.word] != word]
            if shared > 0 and others:
                scored.append((-shared, others[0]))
        return [self.words[number] for _, number in sorted(scored)]

    def numbers_of(self, words: Iterable[str]) -> list[int]:
        """Numbers of the words that it has among these."""
        return [self.index[word] for word in words if word in self.index]


def full_readings(word: str, known: Sequence[Pronunciation]) -> Sequence[Pronunciation]:
    """Readings by which a word is counted in a line: in full, as it is usually said.

    Verse says `glitt'ring` and `memory` in two syllables, and a reader may well not; but fire, hour
    and our are one as often as two, so they are kept with all their readings.
    """
    if is_one_breath(word):
        return known
    return [each for each in known if len(each.stresses) == len(known[0].stresses)]


def heard_rhymes(known: Iterable[Pronunciation]) -> frozenset[str]:
    """Rhymes that a word may be heard to have, by all readings, and by their main stress alone.

    So `pillow` may rhyme with `willow`, though its last syllable is half stressed.
    """
    main = (
        Pronunciation(tuple(each.replace("2", "0") for each in reading.phonemes), reading.source)
        for reading in known
        if "2" in reading.stresses
    )
    return frozenset(each.rhyme for each in (*known, *main))


def sure_rhyme(known: Iterable[Pronunciation]) -> tuple[str, str, int] | None:
    """Rhyme, onset and syllables of the rhyme on which all readings agree.

    None where they do not, where one is a guess, or where the rhyme is not on the main stress:
    dictionaries differ in secondary ones.
    """
    known = list(known)
    sounds = {(each.rhyme, each.onset, rhyme_length(each)) for each in known}
    weak = any("1" not in each.stresses[-rhyme_length(each) :] for each in known)
    if len(sounds) != 1 or weak or any(each.source == "guess" for each in known):
        return None
    return next(iter(sounds))


def rhyme_length(reading: Pronunciation) -> int:
    """Syllables from the last stressed one on; 1 where none is stressed."""
    return len(reading.stresses) - max(reading.stresses.rfind("1"), reading.stresses.rfind("2"), 0)


def capitalised(word: str) -> str:
    """Word with a capital as its first letter: `'Tis`."""
    place = 1 if word.startswith("'") else 0
    return word[:place] + word[place : place + 1].upper() + word[place + 1 :]


def _known_ids(tokenizer: Tokenizer, words: Iterable[str]) -> dict[str, int]:
    """Ids of the letters that words have, small and capital, as far as the model knows them."""
    letters = set("".join(words))
    letters |= {letter.upper() for letter in letters}
    ids = {letter: tokenizer.encode(letter) for letter in letters}
    return {letter: found[0] for letter, found in ids.items() if found != [UNK_ID]}


def _words_of(
    tokenizer: Tokenizer, word_list: WordList | None
) -> "tuple[list[str], list[int], list[bool | None]]":
    """Words that can be written and spoken, their counts, and whether they are names."""
    if tokenizer.kind != "char":
        raise NotEnglishError("lines are written letter by letter: it needs a char vocabulary")
    if not all(tokenizer.knows(char) for char in "etaoinshr \n"):
        raise NotEnglishError("its vocabulary has not the letters of English")
    if word_list is None:
        rows: list[Row] = [(word, 0, False) for word in dictionary_words() if word.isalpha()]
    else:
        _require_english(word_list)
        rows = list(_rows(word_list))
    letters = set(_known_ids(tokenizer, [word for word, _, _ in rows]))
    known = [row for row in rows if letters.issuperset(row[0]) and _is_speakable(row[0])]
    if len(known) < MIN_WORDS:
        raise NotEnglishError(f"it has {counted(len(known), 'word')} to write lines with, too few")
    words, counts, names = (list(column) for column in zip(*known, strict=True))
    return words, counts, names


def _rows(word_list: WordList) -> Iterator[Row]:
    least = max(MIN_COUNT, round(MIN_SHARE * int(word_list.counts.sum())))
    columns = (word_list.counts, word_list.lower_counts, word_list.capital_counts)
    for word, count, lower, capital in zip(
        word_list.words, *(column.tolist() for column in columns), strict=True
    ):
        if count < least:
            break  # the commonest stand first
        named, plain = capital >= MIN_NAME_SHARE * count, lower >= MIN_LOWER_SHARE * count
        yield word, lower, None if named and plain else not plain


def _is_speakable(word: str) -> bool:
    known = readings(word)
    is_word = len(word) > 1 or word in ONE_LETTER
    return is_word and bool(known) and known[0].source != "guess"


def _require_english(word_list: WordList) -> None:
    common = word_list.words[:2000]
    share = sum(map(_is_speakable, common)) / max(1, len(common))
    if share < MIN_ENGLISH:
        raise NotEnglishError(
            f"its words are not English: prosody knows {100 * share:.0f} % of the most frequent"
        )


def _shared_end(one: Sequence[str], other: Sequence[str]) -> int:
    """Phonemes that two sounds have in common at their end."""
    count = 0
    while count < min(len(one), len(other)) and one[-1 - count] == other[-1 - count]:
        count += 1
    return count
