"""Targets that a unit may follow, each a number (or None) for every token of a text as it is read.

The page's See has the same ones for the text that is looked at (`see/targets.js`; a test holds the
two equal). A number at a place is what is true once its token is read; None leaves the place out.
"""

import re
from collections.abc import Callable, Sequence

Series = list[float | None]

LETTERS = re.compile(r"[^\W\d_]")
OPENING_BEFORE = re.compile(r"[\s([{\u2014-]")  # what stands before a quote that opens
VOWELS = set("aeiouAEIOU")


def column(tokens: Sequence[str]) -> Series:
    """Target `column`: how many characters have been read of the line."""
    found: Series = []
    at = 0
    for token in tokens:
        at = 0 if "\n" in token else at + 1
        found.append(at)
    return found


def quoted(tokens: Sequence[str]) -> Series:
    """Target `quoted`: 1 inside of double quotes, else 0.

    A straight quote opens where nothing stands before it.
    """
    found: Series = []
    is_inside, before = 0, "\n"
    for token in tokens:
        for character in token:
            if character == "\u201c":
                is_inside = 1
            elif character == "\u201d":
                is_inside = 0
            elif character == '"':
                is_inside = 1 if OPENING_BEFORE.match(before) else 0
            before = character
        found.append(is_inside)
    return found


def bracketed(tokens: Sequence[str]) -> Series:
    """Target `bracketed`: 1 inside of round or square brackets, else 0."""
    found: Series = []
    is_inside = 0
    for token in tokens:
        for character in token:
            if character in "([":
                is_inside = 1
            elif character in ")]":
                is_inside = 0
        found.append(is_inside)
    return found


def vowel(tokens: Sequence[str]) -> Series:
    """Target `vowel`: 1 for a letter that is a vowel, 0 for a consonant; None for no letter."""
    return [float(token in VOWELS) if is_letter(token) else None for token in tokens]


def next_vowel(tokens: Sequence[str]) -> Series:
    """Target `next_vowel`: 1 where the token that follows is a vowel, 0 where a consonant."""
    return [*vowel(tokens)[1:], None]


def capital(tokens: Sequence[str]) -> Series:
    """Target `capital`: 1 for a letter in a word that begins with a capital, 0 in others."""
    found: Series = []
    is_capital, is_word = 0.0, False
    for token in tokens:
        if is_letter(token) and not is_word:
            is_capital = float(token != token.lower())
        is_word = is_letter(token) or (is_word and token in "'\u2019")
        found.append(is_capital if is_letter(token) else None)
    return found


def letter(tokens: Sequence[str]) -> Series:
    """Target `letter`: the place of a letter in its word, from 1."""
    found: Series = []
    count = 0
    for token in tokens:
        count = count + 1 if is_letter(token) else 0
        found.append(count or None)
    return found


def gap(tokens: Sequence[str]) -> Series:
    """Target `gap`: 1 outside of words, 0 at letters."""
    return [float(not is_letter(token)) for token in tokens]


def last_word(tokens: Sequence[str]) -> Series:
    """Target `last_word`: 1 from the begin of a line's last word to its end, where rhymes stand."""
    found: Series = [0.0] * len(tokens)
    for first, last in lines(tokens):
        at = last - 1
        while at >= first and not is_letter(tokens[at]):
            at -= 1
        while at >= first and tokens[at].strip():
            at -= 1
        found[at + 1 : last] = [1.0] * (last - at - 1)
    return found


def stanza_line(tokens: Sequence[str]) -> Series:
    """Target `stanza_line`: the number of the line in its stanza, from 1; 0 on empty lines."""
    found: Series = []
    count = 0
    for first, last in lines(tokens):
        is_empty = not "".join(tokens[first:last]).strip()
        count = 0 if is_empty else count + 1
        found += [count] * (last - first)
    return found


def lines(tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Find the lines of a text: where each begins, and where it ends behind its newline."""
    found, first = [], 0
    for at, token in enumerate(tokens):
        if "\n" in token or at == len(tokens) - 1:
            found.append((first, at + 1))
            first = at + 1
    return found


def is_letter(token: str) -> bool:
    """Check whether a token is one letter."""
    return LETTERS.fullmatch(token) is not None


TARGETS: dict[str, Callable[[Sequence[str]], Series]] = {
    "column": column,
    "quoted": quoted,
    "bracketed": bracketed,
    "gap": gap,
    "letter": letter,
    "vowel": vowel,
    "next_vowel": next_vowel,
    "capital": capital,
    "last_word": last_word,
    "stanza_line": stanza_line,
}
