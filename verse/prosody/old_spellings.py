"""Spellings of older and British verse, turned into those that a dictionary lists.

An apostrophe within a word stands for a vowel that is not said (`pow'r`, `glitt'ring`): the word is
read in full and loses that syllable. Accents are folded, but that of -èd, which makes a syllable.
"""

import re
from collections.abc import Iterator

from verse.prosody.phonemes import is_vowel
from verse.prosody.word_endings import Phonemes, Reader

_VOWELS = re.compile("[aeiouy]+")
_INNER = re.compile(r"(?<=\w)'(?=\w)")
# Another spelling of the same word: letters that the word must have, a pattern, what stands for it.
_RESPELLED = tuple(
    (letters, re.compile(pattern), instead)
    for letters, pattern, instead in (
        ("e", r"([^aeiou]{2})e$", r"\1"),
        ("e", r"([^aeiou])\1e$", r"\1"),
        ("e", r"([aeiou]{2}[^aeiou])e$", r"\1"),
        ("ee", r"ee$", r"e"),
        ("d", r"([bcgkmpstv])d$", r"\1ed"),
        ("our", r"our", r"or"),
        ("ise", r"ise(?=$|d$|r$|s$)", r"ize"),
        ("ising", r"is(?=ing$)", r"iz"),
        ("yse", r"yse(?=$|d$|s$)", r"yze"),
        ("re", r"re$", r"er"),
        ("res", r"res$", r"ers"),
        ("ick", r"ick(?=$|s$)", r"ic"),
        ("ll", r"ll(?=ed$|ing$|er$|ers$|ous$)", r"l"),
        ("ae", r"ae", r"e"),
        ("oe", r"oe", r"e"),
        ("ence", r"ence(?=$|s$)", r"ense"),
        ("im", r"^im", r"em"),
        ("in", r"^in", r"en"),
        ("en", r"^en", r"in"),
        ("inn", r"^inn", r"in"),
        ("gg", r"gg", r"g"),
        ("ie", r"ie$", r"y"),
        ("ey", r"ey$", r"y"),
        ("y", r"y(?=[^aeiou])", r"i"),
        ("ll", r"ll$", r"l"),
        ("l", r"l$", r"ll"),
        ("ogue", r"ogue$", r"og"),
        ("grey", r"^grey", r"gray"),
        ("plough", r"plough", r"plow"),
    )
)


def old_spelling_readings(word: str, read: Reader) -> tuple[Phonemes, ...]:
    """Readings of a word by its modern spelling, or in full with a syllable dropped."""
    if _INNER.search(word):
        return _contracted(word, read)
    if word.endswith("'") and word[:-1].endswith(("tho", "thro")):
        return read(word[:-1] + "ugh")
    if word.startswith("'"):
        return _beheaded(word[1:], read)
    for spelling in _respelled(word):
        if known := read(spelling):
            return known
    return ()


def _respelled(word: str) -> Iterator[str]:
    for letters, pattern, instead in _RESPELLED:
        spelling = pattern.sub(instead, word) if letters in word else word
        if spelling != word and len(spelling) > 2:
            yield spelling


def _contracted(word: str, read: Reader) -> tuple[Phonemes, ...]:
    place = _INNER.search(word)
    if place is None:
        return ()
    before, after = word[: place.start()], word[place.end() :]
    if before == "o" and after.startswith("er") and (known := read(after[2:])):
        return tuple(("AO2", "R", *each) for each in known)
    syllable = len(_VOWELS.findall(before))
    for vowel in ("e", "o", "i", "a", "u", "v", "er", ""):
        known = read(before + vowel + after)
        if known and vowel in {"v", ""}:
            return known
        longest = max((sum(map(is_vowel, each)) for each in known), default=0)
        full = (each for each in known if sum(map(is_vowel, each)) == longest)
        if found := tuple(filter(None, (_without(each, syllable) for each in full))):
            return found
    return ()


def _without(phonemes: Phonemes, syllable: int) -> Phonemes:
    """Phonemes without the unstressed vowel nearest to a syllable; empty if there is none."""
    vowels = [i for i, phoneme in enumerate(phonemes) if is_vowel(phoneme)]
    weak = [k for k, i in enumerate(vowels) if phonemes[i].endswith("0")]
    if not weak or len(vowels) < 2:
        return ()
    at = vowels[min(weak, key=lambda k: abs(k - syllable))]
    kept = ("R",) if phonemes[at] == "ER0" else ()
    return (*phonemes[:at], *kept, *phonemes[at + 1 :])


def _beheaded(word: str, read: Reader) -> tuple[Phonemes, ...]:
    """A word whose first, unstressed syllable is cut: `'gainst`, `'stead`; or that is quoted."""
    if known := read(word):
        return known
    for head in ("a", "be", "i", "ex", "re", "e"):
        for each in read(head + word):
            first = next(i for i, phoneme in enumerate(each) if is_vowel(phoneme))
            rest = each[first + 1 :]
            if each[first].endswith("0") and any(map(is_vowel, rest)):
                return (rest,)
    return ()
