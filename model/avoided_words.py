"""Avoided words: words and phrases that a text is not to hold, read into a form to compare by.

A word is a run of letters, digits and marks; an apostrophe between two of them belongs to it, so
"love" is neither in "lovely" nor in "love's", but in "love-sick". An ideograph or kana, whose
scripts part no words, is a word by itself. Case does not count, nor which apostrophe it is, and
between the words of a phrase any white space is as good as another, line breaks included.

Knows nothing of tokens and of how such words are gone round.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

MAX_AVOIDED = 64
MAX_AVOIDED_LENGTH = 100
APOSTROPHES = "'\u2019"
_OPEN = "*"  # behind a word: all words that begin so
# Code points of scripts that write without spaces: kana, ideographs, and their extensions.
_UNPARTED = ((0x2E80, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))


@dataclass(frozen=True, slots=True, kw_only=True)
class AvoidedPhrase:
    """Avoided word or phrase in folded form: its last word, and what has to stand before that."""

    before: str  # words and what parts them; empty for a single word
    last: str
    is_open: bool  # avoids every word that begins with `last`


def avoided_phrase(text: str) -> AvoidedPhrase:
    """Read a word or phrase; `*` behind it avoids all words that begin so.

    Raises ValueError, which says what is wrong with it.
    """
    whole = unicodedata.normalize("NFC", text).strip()
    is_open = whole.endswith(_OPEN)
    words = folded(whole[:-1] if is_open else whole)
    if _OPEN in words:
        raise ValueError(f"{text!r} may have its * at the end only")
    if not words or not (is_word_character(words[0]) and is_word_character(words[-1])):
        raise ValueError(f"{text!r} must begin and end with a letter or digit, or end with *")
    start = _start_of_last_word(words)
    return AvoidedPhrase(before=words[:start], last=words[start:], is_open=is_open)


def _start_of_last_word(words: str) -> int:
    start = len(words) - 1
    if is_unparted(words[start]):
        return start
    while start > 0 and (belongs_to_word(words[start - 1]) or _joins(words, start - 1)):
        start -= 1
    return start


def _joins(words: str, place: int) -> bool:
    """Apostrophe inside of a word: True where the character at `place` is one."""
    return (
        words[place] in APOSTROPHES
        and place > 0
        and belongs_to_word(words[place - 1])
        and belongs_to_word(words[place + 1])
    )


def folded(text: str) -> str:
    """Text in the form that is compared: case, kinds of apostrophe and of white space are gone."""
    return " ".join(f".{text}.".casefold().replace("\u2019", "'").split())[1:-1]


@lru_cache(maxsize=4096)
def folded_character(char: str) -> str:
    """Character in the form that is compared, see `folded`; white space is a space."""
    return folded(char)


@lru_cache(maxsize=4096)
def is_word_character(char: str) -> bool:
    """Character of a word: True for a letter, a digit, or a mark upon one."""
    return char.isalnum() or unicodedata.category(char).startswith("M")


@lru_cache(maxsize=4096)
def is_unparted(char: str) -> bool:
    """Ideograph or kana: True for a character of a script without spaces, a word by itself."""
    return any(first <= ord(char) <= last for first, last in _UNPARTED) and char.isalnum()


@lru_cache(maxsize=4096)
def belongs_to_word(char: str) -> bool:
    """Character of a longer word: True where it goes on with one that stands before it."""
    return is_word_character(char) and not is_unparted(char)
