"""Rhyme of two words: perfect, on a weak last syllable, near, the same sound or word, or none.

Perfect is one sound from the last stressed vowel on after two different onsets. A word that ends
on two weak syllables may rhyme by the last alone, which its metre stresses (`eternity` and `sea`).
Near has only the last syllable's vowel, or only what follows it, in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from verse.checks.spoken_line import LEVELS, SpokenWord
from verse.prosody.phonemes import is_vowel, onset_before
from verse.prosody.pronunciation import Pronunciation
from verse.report import Basis

RhymeKind = Literal["perfect", "weak", "near", "same sound", "same word", "none", "unknown"]
_BEST_FIRST: tuple[RhymeKind, ...] = ("perfect", "weak", "same sound", "near", "none")


@dataclass(frozen=True, slots=True)
class RhymeFinding:
    """Rhyme of two words in their best readings, and what those rest on."""

    kind: RhymeKind
    basis: Basis

    @property
    def is_rhyme(self) -> bool:
        """Check whether readers would call the finding a rhyme."""
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
        (
            _BEST_FIRST.index(_kind(_end(a), _end(b))),
            max(LEVELS.index(a.source), LEVELS.index(b.source)),
        )
        for a in one.readings
        for b in other.readings
        if a.stresses and b.stresses
    ]
    if not found:
        return RhymeFinding("unknown", "unknown")
    kind, level = min(found)
    return RhymeFinding(_BEST_FIRST[kind], LEVELS[level])


@dataclass(frozen=True, slots=True)
class _End:
    """End of a reading, by which it rhymes: its tails from a stress on, and its last syllable."""

    tails: tuple[tuple[str, str], ...]
    "Rhyme and onset from the last stress on, and from the main stress on."
    onset: tuple[str, ...]
    vowels: frozenset[str]
    coda: tuple[str, ...]
    may_rise: bool
    "Whether the last syllable can bear a rhyme: stressed, or the second of two weak ones."


def _kind(one: _End, other: _End) -> RhymeKind:
    for (rhyme, onset), (its_rhyme, its_onset) in zip(one.tails, other.tails, strict=True):
        if rhyme == its_rhyme:
            return "perfect" if onset != its_onset else "same sound"
    shares_vowel = not one.vowels.isdisjoint(other.vowels)
    if shares_vowel and one.coda == other.coda and one.may_rise and other.may_rise:
        return "weak" if one.onset != other.onset else "same sound"
    if shares_vowel or (one.coda and one.coda == other.coda):
        return "near"
    return "none"


@lru_cache(maxsize=1 << 14)
def _end(reading: Pronunciation) -> _End:
    """Rhyming parts of a reading.

    Half stresses are once left out, since CMUdict has one on the last syllable of `pillow` and
    none on that of `willow`. A weak last vowel gets back the sound that a beat gives it:
    `loveliness` ends as `less`.
    """
    plain = tuple(phoneme.replace("2", "0") for phoneme in reading.phonemes)
    main = Pronunciation(plain, reading.source)
    sounds, stresses = reading.phonemes, reading.stresses
    at = max(i for i, phoneme in enumerate(sounds) if is_vowel(phoneme))
    vowels = {"EH", "IH"} if sounds[at] in {"AH0", "IH0"} else {sounds[at][:-1]}
    return _End(
        tails=((reading.rhyme, reading.onset), (main.rhyme, main.onset)),
        onset=onset_before(sounds, at),
        vowels=frozenset(vowels),
        coda=sounds[at + 1 :],
        may_rise=stresses[-1] != "0" or stresses[-2:] == "00",
    )
