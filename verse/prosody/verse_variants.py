"""Readings that verse allows beside a dictionary's: a weak syllable glided over, or fire in one.

Syncope (`wand'ring`, `mem'ry`), synizesis (`glorious` in two), triphthongs (`fire`, `flower`), as
poets use them; what they use rarely (`lion` in one) is left out. All lose one syllable.
"""

import re

from verse.prosody.phonemes import is_vowel
from verse.prosody.word_endings import Phonemes

_GLIDED = re.compile(r"(iou|eou|ia|ie|io|ua|ue|ui|uou|ying|owing|oing|owy)")
_ONE_BREATH = re.compile(r"(ire|yre|our|ower|oir|fier|ir'|our'|ower')(s|d|ed|ing|less|ful|y)?$")
_USUALLY_SHORT = re.compile(r"(ire|yre|our|oir|ir'|our')(s|d|ed|ing)?$")
_APART = re.compile(r"i(a|us|an|ans)('?s)?$")
_CLIPPED = re.compile(r"(eaven|iven|even|oven|allen|olen|ollen)('?s)?$")
_RISING = re.compile(r"(uel|ewel)(s|led|ling|ed|ty|ly)?$")
_AFTER_GLIDE = frozenset({"AH0", "ER0", "IH0", "EH0", "IY0"})


def shorter_readings(word: str, phonemes: Phonemes) -> tuple[Phonemes, ...]:
    """Readings of a word with one syllable fewer than the reading given; empty if none is usual."""
    found = (
        _one_breath(word, phonemes),
        _rising(word, phonemes),
        _clipped(word, phonemes),
        _second_person(word, phonemes),
        _syncopated(phonemes),
        _glided(word, phonemes),
    )
    return tuple(each for each in found if each)


def longer_reading(word: str, phonemes: Phonemes) -> Phonemes:
    """Reading with one syllable more, if usual, for `squire` and `Celia` given with one less."""
    short = is_one_breath(word)
    if not short and not _APART.search(word):
        return ()
    for i in range(1, len(phonemes) - 1):
        if short and phonemes[i][:-1] in {"AY", "AW"} and phonemes[i + 1] == "R":
            return (*phonemes[: i + 1], "ER0", *phonemes[i + 2 :])
        if not short and phonemes[i] == "Y" and phonemes[i + 1] == "AH0":
            return (*phonemes[:i], "IY0", *phonemes[i + 1 :])
    return ()


def is_one_breath(word: str) -> bool:
    """Check whether verse more often says a word in the shorter way: `fire`, `hour`, `desired`."""
    return _USUALLY_SHORT.search(word) is not None


def _one_breath(word: str, phonemes: Phonemes) -> Phonemes:
    """`AY1 ER0` as `AY1 R`: fire, desired, hour, flowers."""
    if _ONE_BREATH.search(word):
        for i in range(len(phonemes) - 1):
            if phonemes[i][:-1] in {"AY", "AW"} and phonemes[i + 1] == "ER0":
                return (*phonemes[: i + 1], "R", *phonemes[i + 2 :])
    return ()


def _rising(word: str, phonemes: Phonemes) -> Phonemes:
    """`UW1 AH0 L` as `UW1 L`: cruel, jewel, fuel."""
    if _RISING.search(word):
        for i in range(len(phonemes) - 2):
            if phonemes[i : i + 2] == ("UW1", "AH0"):
                return (*phonemes[: i + 1], *phonemes[i + 2 :])
    return ()


def _clipped(word: str, phonemes: Phonemes) -> Phonemes:
    """`heav'n`, `giv'n`, `fall'n`: the last vowel before N dropped."""
    if _CLIPPED.search(word):
        for i in range(2, len(phonemes) - 1):
            if phonemes[i] in {"AH0", "IH0"} and phonemes[i + 1] == "N":
                return (*phonemes[:i], *phonemes[i + 1 :])
    return ()


def _second_person(word: str, phonemes: Phonemes) -> Phonemes:
    """`know'st`, `prey'st`: -est after a vowel without a syllable of its own."""
    is_ending = word.endswith("est") and phonemes[-3:] in {("AH0", "S", "T"), ("IH0", "S", "T")}
    if is_ending and len(phonemes) > 4 and is_vowel(phonemes[-4]):
        return (*phonemes[:-3], "S", "T")
    return ()


def _syncopated(phonemes: Phonemes) -> Phonemes:
    """A weak syllable after a stressed and before a weak one dropped: `wand'ring`, `op'ning`."""
    stressed = False
    for i, phoneme in enumerate(phonemes[:-1]):
        if not is_vowel(phoneme):
            continue
        if phoneme == "ER0" and stressed and phonemes[i + 1][-1] == "0" and _consonant(phonemes, i):
            return (*phonemes[:i], "R", *phonemes[i + 1 :])
        if phoneme == "AH0" and stressed and i > 1 and _is_light(phonemes[i - 1 : i + 3]):
            return (*phonemes[:i], *phonemes[i + 1 :])
        stressed = phoneme[-1] in "12"
    return ()


def _consonant(phonemes: Phonemes, vowel: int) -> bool:
    return not is_vowel(phonemes[vowel - 1])


def _is_light(around: Phonemes) -> bool:
    """Check whether a weak AH may go by what is around it: `-ening`, `-ery`, `heavenly`."""
    before, _, *after = around
    if is_vowel(before) or len(after) < 2:
        return False
    if before in {"V", "Z"} and tuple(after) in {("N", "L"), ("N", "AH0")}:
        return True
    follows = {"IH0", "ER0", "AH0", "IY0"} if after[0] == "R" else {"IH0", "ER0"}
    return after[0] in {"N", "L", "R"} and after[1] in follows


def _glided(word: str, phonemes: Phonemes) -> Phonemes:
    """Two weak vowels as a glide and one: `glorious`, `hurrying`, `influence`."""
    if not _GLIDED.search(word):
        return ()
    for i in range(2, len(phonemes) - 1):
        glide = {"IY0": "Y", "UW0": "W", "UW2": "W", "OW0": "W"}.get(phonemes[i])
        if glide and _consonant(phonemes, i) and phonemes[i + 1] in _AFTER_GLIDE:
            return (*phonemes[:i], glide, *phonemes[i + 1 :])
    return ()
