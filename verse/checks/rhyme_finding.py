"""Rhyme of two words: perfect, on a weak last syllable, near, the same sound or word, or none.

Perfect is one sound from the last stressed vowel on after two different onsets. A word that ends
on two weak syllables may rhyme by the last alone, which its metre stresses (`eternity` and `sea`).
Near has only the last syllable's vowel, or only what follows it, in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from verse.checks.spoken_line import LEVELS, SpokenWord
from verse.prosody.phonemes import is_vowel, onset_before
from verse.prosody.pronunciation import Pronunciation
from verse.report import Basis

RhymeKind = Literal["perfect", "weak", "near", "same sound", "same word", "none", "unknown"]
_BEST_FIRST: tuple[RhymeKind, ...] = ("perfect", "weak", "same sound", "near", "none")


@dataclass(frozen=True, slots=True)
class RhymeFinding:
    """How two words rhyme in their best readings, and what those rest on."""

    kind: RhymeKind
    basis: Basis

    @property
    def is_rhyme(self) -> bool:
        """Whether readers would call it a rhyme."""
        return self.kind in {"perfect", "weak"}


def ends_finding(one: Sequence[SpokenWord], other: Sequence[SpokenWord]) -> RhymeFinding:
    """Rhyme of two lines' ends: of their last words, or of those before a weak word they share.

    So `concede us` rhymes with `bleed us`. Both are the words up to the one that bears the rhyme,
    and hold at least one.
    """
    finding = rhyme_finding(one[-1], other[-1])
    if finding.kind == "same word" and one[-1].is_function_word and min(len(one), len(other)) > 1:
        before = rhyme_finding(one[-2], other[-2])
        return before if before.kind == "perfect" else finding
    return finding


def rhyme_finding(one: SpokenWord, other: SpokenWord) -> RhymeFinding:
    """Best rhyme that two words have in any of their readings."""
    if one.text.lower() == other.text.lower():
        return RhymeFinding("same word", "text")
    found = [
        (_BEST_FIRST.index(_kind(a, b)), max(LEVELS.index(a.source), LEVELS.index(b.source)))
        for a in one.readings
        for b in other.readings
        if a.stresses and b.stresses
    ]
    if not found:
        return RhymeFinding("unknown", "unknown")
    kind, level = min(found)
    return RhymeFinding(_BEST_FIRST[kind], LEVELS[level])


def _kind(one: Pronunciation, other: Pronunciation) -> RhymeKind:
    for a, b in ((one, other), (_by_main_stress(one), _by_main_stress(other))):
        if a.rhyme == b.rhyme:
            return "perfect" if a.onset != b.onset else "same sound"
    (onset, vowels, coda), (its_onset, its_vowels, its_coda) = map(_last_syllable, (one, other))
    if vowels & its_vowels and coda == its_coda and _may_rise(one) and _may_rise(other):
        return "weak" if onset != its_onset else "same sound"
    if vowels & its_vowels or (coda and coda == its_coda):
        return "near"
    return "none"


def _by_main_stress(reading: Pronunciation) -> Pronunciation:
    """Reading without half stresses: `pillow`, with one on its last syllable, and `willow`."""
    phonemes = tuple(phoneme.replace("2", "0") for phoneme in reading.phonemes)
    return Pronunciation(phonemes, reading.source)


def _may_rise(reading: Pronunciation) -> bool:
    """Whether the last syllable can bear a rhyme: stressed, or the second of two weak ones."""
    return reading.stresses[-1] != "0" or reading.stresses[-2:] == "00"


def _last_syllable(
    reading: Pronunciation,
) -> tuple[tuple[str, ...], frozenset[str], tuple[str, ...]]:
    """Onset, vowels it may have, and what follows of the last syllable, without stress.

    A weak vowel gets back the sound that a beat gives it: `loveliness` ends as `less`.
    """
    sounds = reading.phonemes
    at = max(i for i, phoneme in enumerate(sounds) if is_vowel(phoneme))
    vowels = {"EH", "IH"} if sounds[at] in {"AH0", "IH0"} else {sounds[at][:-1]}
    return onset_before(sounds, at), frozenset(vowels), sounds[at + 1 :]
