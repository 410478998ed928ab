"""Readings of an English word: from the dictionary, by rule, or guessed from its spelling.

All ways that a word can be said in verse, the usual first. A word of which nothing can be said (no
vowel letters, digits, another script) has none.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from verse.prosody.compounds import compound_readings
from verse.prosody.dictionary import dictionary_readings
from verse.prosody.letter_to_sound import guessed_phonemes
from verse.prosody.line_words import with_straight_apostrophes
from verse.prosody.old_spellings import old_spelling_readings
from verse.prosody.phonemes import is_vowel
from verse.prosody.pronunciation import Pronunciation, Source
from verse.prosody.verse_variants import is_one_breath, longer_reading, shorter_readings
from verse.prosody.verse_words import verse_words
from verse.prosody.word_endings import Phonemes, ending_readings

MAX_WORD = 45
_CACHED = 1 << 17
_DEPTH = 2
_WORD = re.compile(r"[a-z'-]*[a-z][a-z'-]*")
_LIGATURES = str.maketrans({"æ": "ae", "œ": "oe"})
_ROMAN = re.compile(r"[mdc]*(xc|xl|l?x*)(ix|iv|v?i*)")
_SYLLABIC = re.compile(r"[èé]d(?=$|\W)")


def readings(word: str) -> tuple[Pronunciation, ...]:
    """All pronunciations of a word, the usual first; empty where nothing can be said of it."""
    return _readings(with_straight_apostrophes(word).casefold())


@lru_cache(maxsize=_CACHED)
def _readings(word: str) -> tuple[Pronunciation, ...]:
    composed = word if word.isascii() else unicodedata.normalize("NFC", word)
    plain = word if word.isascii() else _without_accents(composed)
    if len(plain) > MAX_WORD or not _WORD.fullmatch(plain):
        return ()
    if plain is not word and _SYLLABIC.search(composed) and (stem := _with_syllable(plain)):
        return stem
    listed = dictionary_readings(plain)
    own = verse_words().get(plain, ())
    known = tuple(dict.fromkeys((*own, *listed)))
    if not known:
        known = _derived(plain, _DEPTH)
    if known:
        return _with_variants(plain, known, frozenset(listed), "rule")
    guess = () if _ROMAN.fullmatch(plain) else guessed_phonemes(plain)
    return _with_variants(plain, (guess,), frozenset(), "guess") if guess else ()


def _with_variants(
    word: str, known: Iterable[Phonemes], listed: frozenset[Phonemes], unlisted: Source
) -> tuple[Pronunciation, ...]:
    """Readings known with those that verse allows beside them; `unlisted` labels what is not."""
    given = list(known)
    ordered = given + [each for phonemes in given for each in shorter_readings(word, phonemes)]
    ordered += [each for phonemes in given if (each := longer_reading(word, phonemes))]
    if is_one_breath(word):
        ordered.sort(key=lambda phonemes: sum(map(is_vowel, phonemes)))
    return tuple(
        Pronunciation(each, "dictionary" if each in listed else unlisted)
        for each in dict.fromkeys(ordered)
    )


def _known(word: str, depth: int) -> tuple[Phonemes, ...]:
    return verse_words().get(word) or dictionary_readings(word) or _derived(word, depth)


@lru_cache(maxsize=_CACHED)
def _derived(word: str, depth: int) -> tuple[Phonemes, ...]:
    """Readings by rule, from words that are known or, up to a depth, follow by rule themselves."""
    if depth == 0 or len(word) < 3:
        return ()

    def read(stem: str) -> tuple[Phonemes, ...]:
        return _known(stem, depth - 1)

    for rule in (ending_readings, old_spelling_readings, compound_readings):
        if found := rule(word, read):
            return tuple(dict.fromkeys(found))
    return ()


def _with_syllable(word: str) -> tuple[Pronunciation, ...]:
    """Readings of a word written with -èd, whose ending is a syllable: `wreathèd`."""
    found = []
    for each in readings(word):
        end = each.phonemes[-2:]
        if end[-1] in {"D", "T"} and end not in {("IH0", "D"), ("AH0", "D")}:
            found.append(Pronunciation((*each.phonemes[:-1], "IH0", "D"), "rule"))
        else:
            found.append(each)
    return tuple(dict.fromkeys(found))


def _without_accents(word: str) -> str:
    decomposed = unicodedata.normalize("NFD", word.translate(_LIGATURES))
    return "".join(character for character in decomposed if not unicodedata.combining(character))
