"""Readings that verse allows beside a dictionary's: a weak syllable glided over, or fire in one.

Syncope (`wand'ring`, `mem'ry`), synizesis (`glorious` in two), triphthongs (`fire`, `flower`), as
poets use them; what they use rarely (`lion` in one) is left out. All lose one syllable.
"""

import re

from verse.prosody.phonemes import is_vowel
from verse.prosody.word_endings import Phonemes

_GLIDED = re.compile(r"(iou|eou|ia|ie|io|ua|ue|uou)")
_ONE_BREATH = re.compile(r"(ire|yre|our|ower|oir)(s|d|ed|ing|less)?$")
_RISING = re.compile(r"(uel|ewel)(s|led|ling|ed|ty|ly)?$")


def shorter_readings(word: str, phonemes: Phonemes) -> tuple[Phonemes, ...]:
    """Readings of a word with one syllable fewer than the reading given; empty if none is usual."""
    found = (
        _one_breath(word, phonemes),
        _rising(word, phonemes),
        _syncopated(phonemes),
        _glided(word, phonemes),
    )
    return tuple(each for each in found if each)


def is_one_breath(word: str) -> bool:
    """Whether a word is more often said in the shorter way in verse: `fire`, `hour`, `desired`."""
    return re.search(r"(ire|yre|our|oir)(s|d|ed|ing)?$", word) is not None


def _one_breath(word: str, phonemes: Phonemes) -> Phonemes:
    """`AY1 ER0` as `AY1 R`: fire, desired, hour, flowers."""
    if _ONE_BREATH.search(word):
        for i in range(len(phonemes) - 1):
            if phonemes[i] in {"AY1", "AW1", "AY2", "AW2"} and phonemes[i + 1] == "ER0":
                return (*phonemes[: i + 1], "R", *phonemes[i + 2 :])
    return ()


def _rising(word: str, phonemes: Phonemes) -> Phonemes:
    """`UW1 AH0 L` as `UW1 L`: cruel, jewel, fuel."""
    if _RISING.search(word):
        for i in range(len(phonemes) - 2):
            if phonemes[i : i + 2] == ("UW1", "AH0"):
                return (*phonemes[: i + 1], *phonemes[i + 2 :])
    return ()


def _syncopated(phonemes: Phonemes) -> Phonemes:
    """A weak syllable after a stressed and before a weak one dropped: `wand'ring`, `op'ning`."""
    stressed = False
    for i, phoneme in enumerate(phonemes[:-1]):
        if not is_vowel(phoneme):
            continue
        if phoneme == "ER0" and stressed and phonemes[i + 1][-1] == "0" and _consonant(phonemes, i):
            return (*phonemes[:i], "R", *phonemes[i + 1 :])
        if phoneme == "AH0" and stressed and _is_light(phonemes[i + 1 : i + 3]) and i > 1:
            return (*phonemes[:i], *phonemes[i + 1 :]) if _consonant(phonemes, i) else ()
        stressed = phoneme[-1] in "12"
    return ()


def _consonant(phonemes: Phonemes, vowel: int) -> bool:
    return not is_vowel(phonemes[vowel - 1])


def _is_light(pair: Phonemes) -> bool:
    """Whether a weak AH may go before these: `-ening`, `-eling`, `-eral`, `-ery`."""
    return pair in {("N", "IH0"), ("L", "IH0"), ("R", "AH0"), ("R", "IY0"), ("R", "IH0")}


def _glided(word: str, phonemes: Phonemes) -> Phonemes:
    """Two weak vowels as a glide and one: `glorious`, `heavier`, `influence`."""
    if not _GLIDED.search(word):
        return ()
    for i in range(2, len(phonemes) - 1):
        glide = {"IY0": "Y", "UW0": "W"}.get(phonemes[i])
        if glide and phonemes[i + 1] in {"AH0", "ER0", "IH0", "EH0"} and _consonant(phonemes, i):
            return (*phonemes[:i], glide, *phonemes[i + 1 :])
    return ()
