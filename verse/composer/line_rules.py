"""Line rules: what a form asks of one line, as the arrays that its particles walk through.

Three levels: the lexicon is a checkpoint's, `Diction` (words to avoid, prefer, lean to) is a
poem's, and rules are a line's. Knows nothing of networks.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.tokenizer import Tokenizer
from verse.composer.kernels.arrays import Bits, Flags, Floats, Places
from verse.composer.kernels.particle_columns import LineRules
from verse.composer.lexicon import CLOSING, MARKS, Lexicon
from verse.composer.stress_patterns import MAX_PATTERNS, fits, pattern_of
from verse.composer.word_trie import TrieBits, below_of, bits_of
from verse.forms import MAX_SYLLABLES, LineSpec
from verse.prosody.line_words import line_words
from verse.prosody.readings import readings


@dataclass(frozen=True)
class Diction:
    """Words of one poem: which may be written, and which are welcome, in nats."""

    lexicon: Lexicon
    banned: Flags  # (W,)
    bonus: Floats  # (W,)

    @cached_property
    def patterns(self) -> Bits:
        """Patterns (W,) of the words that may be written; none of those that may not."""
        return np.where(self.banned, np.uint64(0), self.lexicon.word_patterns)

    @cached_property
    def bits(self) -> TrieBits:
        """Bits of the lexicon's trie: what stands at and below each node."""
        return bits_of(self.lexicon.trie, self.patterns, self.bonus)

    def with_bonus(self, bonus: Floats) -> "Diction":
        """Build the diction of the same words, others of which are welcome."""
        return Diction(self.lexicon, self.banned, bonus)


def templates_of(line: LineSpec) -> tuple[tuple[str, int], ...]:
    """Places of a line and the least syllables that it may have, for each metre that it may keep.

    A place is x, / or . where either will do.
    """
    if line.templates:
        return tuple((template, len(template)) for template in line.templates)
    least, most = line.syllable_range or (1, MAX_SYLLABLES)
    return (("." * most, least),)


def before_tail(line: LineSpec) -> tuple[tuple[str, int], ...]:
    """`templates_of` a line without the places of its tail, where the tail fits them."""
    if line.tail is None:
        return templates_of(line)
    taken = usual_syllables(line.tail)
    is_free = line.syllable_range is None
    return tuple(
        (places[:-taken], max(1, least - taken))
        for places, least in templates_of(line)
        if is_free or taken in syllable_counts(line.tail, places[-taken:])
    )


def usual_syllables(text: str) -> int:
    """Syllables of a text as it is usually spoken; of a word that has no reading, 1."""
    known = (readings(word.text) for word in line_words(text))
    return sum(len(each[0].stresses) if each else 1 for each in known)


def patterns_of(lexicon: Lexicon, line: LineSpec) -> tuple[Bits, Bits]:
    """Patterns (T, S + 1) by syllables before: after which the line goes on, and that end it."""
    fitting = [lexicon.patterns.fitting(*each) for each in before_tail(line)]
    return np.stack([going for going, _ in fitting]), np.stack([ending for _, ending in fitting])


def ending_patterns(lexicon: Lexicon, line: LineSpec) -> np.uint64:
    """Patterns that a line's last word, or the one before its tail, may have anywhere."""
    return np.uint64(np.bitwise_or.reduce(patterns_of(lexicon, line)[1], axis=None))


def opening_patterns(lexicon: Lexicon, line: LineSpec) -> np.uint64:
    """Patterns that a line's first word may have."""
    going, ending = patterns_of(lexicon, line)
    return np.uint64(np.bitwise_or.reduce(going[:, 0] | ending[:, 0]))


def word_ends(lexicon: Lexicon, line: LineSpec, patterns: Bits) -> Bits:
    """Patterns (T, S + 1) that a line's last word may have, of those that words (W,) here have."""
    there = np.bitwise_or.reduce(patterns)
    may_end: Bits = patterns_of(lexicon, line)[1] & there
    return may_end


def phrase_ends(line: LineSpec, phrase: str) -> Bits:
    """1 where a line's last words may be `phrase`, by metre (T) and syllables before it (S + 1).

    Where the line counts no syllables they may stand anywhere but alone.
    """
    ends = np.zeros((len(templates_of(line)), MAX_SYLLABLES + 1), np.uint64)
    if line.syllable_range is None:
        ends[:, 1:] = 1
        return ends
    for row, (places, least) in enumerate(templates_of(line)):
        for start in range(len(places) + 1):
            counts = syllable_counts(phrase, places[start:])
            if any(least <= start + count <= len(places) for count in counts):
                ends[row, start] = 1
    return ends


def syllable_counts(text: str, places: str) -> set[int]:
    """Counts of syllables that words may have where they fit these places, by all their readings.

    Empty where they do not fit, or where a word has no reading.
    """
    reached = {0}
    for word in line_words(text):
        patterns = {pattern_of(word.text.casefold(), each) for each in readings(word.text)}
        reached = {
            start + len(pattern)
            for start in reached
            for pattern in patterns
            if start + len(pattern) <= len(places)
            and fits(pattern, places[start : start + len(pattern)])
        }
    return reached


def begun_counts(line: LineSpec, text: str, places: str) -> set[int]:
    """`syllable_counts` of words in a line; where it counts no syllables, any words will do."""
    if line.syllable_range is None:
        return {min(usual_syllables(text), len(places) - 1)}
    return {count for count in syllable_counts(text, places) if count < len(places)}


def rules_of(
    diction: Diction,
    line: LineSpec,
    *,
    last_weight: Floats | None,
    may_end: Bits | None = None,
    bans_opening: Flags,
    must_close: bool,
    temperature: float,
) -> LineRules:
    """Rules of a line. `last_weight` (W,) says how welcome a word is as its last, 0 not at all.

    Without `last_weight` particles never end the line: its last word is put there by
    `verse.composer.completion`, at the places where `may_end` (T, S + 1) is not 0.
    """
    lexicon, trie, bits = diction.lexicon, diction.lexicon.trie, diction.bits
    going, ending = patterns_of(lexicon, line)
    last_weight = np.zeros(len(lexicon.words)) if last_weight is None else last_weight
    last = np.where(last_weight > 0, diction.patterns, np.uint64(0))
    if may_end is None:
        may_end = ending & np.bitwise_or.reduce(last)
    going &= np.bitwise_or.reduce(diction.patterns)
    prune(going, may_end, lexicon.patterns.lengths)
    ids = lexicon.tokenizer.encode
    marks = [mark for mark in MARKS if lexicon.tokenizer.knows(mark)]
    closes = np.array([mark in CLOSING for mark in marks], np.bool_)
    return LineRules(
        *(trie.token, trie.first_child, trie.next_sibling, trie.word, trie.start_root),
        *(bits.ends, bits.below, bits.bonus),
        ends_last=_ends(lexicon, last),
        below_last=below_of(trie, last),
        word_bonus=diction.bonus,
        last_weight=last_weight,
        bans_opening=bans_opening,
        lengths=_padded(lexicon.patterns.lengths),
        going=going,
        ending=ending,
        openings=np.array(opening_ids(lexicon.tokenizer, line.acrostic), np.int64),
        marks=np.array(ids("".join(marks)), np.int64),
        closes=closes,
        space=ids(" ")[0],
        newline=ids("\n")[0],
        must_close=must_close and bool(closes.any()),
        temperature=temperature,
    )


def prune(going: Bits, may_end: Bits, lengths: Places) -> None:
    """Take patterns out of `going` (T, S + 1), in place, behind which no line comes to an end.

    It may end where `may_end` (T, S + 1) is not 0; patterns have `lengths` in syllables.
    """
    for row, ends in zip(going, may_end != 0, strict=True):
        leads_on = ends.copy()
        for place in range(len(row) - 1, -1, -1):
            for pattern, length in enumerate(lengths.tolist()):
                bit = np.uint64(1 << pattern)
                if row[place] & bit and not (length and leads_on[place + length]):
                    row[place] &= ~bit
            leads_on[place] |= row[place] != 0


def _ends(lexicon: Lexicon, patterns: Bits) -> Bits:
    word = lexicon.trie.word
    return np.where(word >= 0, patterns[word], np.uint64(0))


def _padded(lengths: Places) -> Places:
    return np.concatenate([lengths, np.zeros(MAX_PATTERNS - len(lengths), np.int64)])


def opening_ids(tokenizer: Tokenizer, letter: str | None) -> list[int]:
    """Ids of a letter, small and capital, as far as the model has them; none where any will do."""
    if letter is None:
        return []
    forms = {letter, letter.upper(), letter.lower()}
    known = (form for form in forms if len(form) == 1 and tokenizer.knows(form))
    return sorted(tokenizer.encode(form)[0] for form in known)
