"""Prompt normalization: unknown characters are written with those that a vocabulary has.

A corpus of plain text has straight quotes and few accents, while keyboards and web pages give
curly quotes, ligatures and dashes. Normalizing keeps a prompt legible to the model.
Knows nothing of ids: the vocabulary is a question, `knows(char)`.
"""

import unicodedata
from collections.abc import Callable, Iterator

# Characters that stand for one another, the plainest first.
_LOOK_ALIKES = (
    "'\u2019\u2018\u201a\u201b\u2032\u00b4`\u02bc",
    '"\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb',
    "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u00ad",
    " \u00a0\u2002\u2003\u2009\u202f\t",
    "\n\u2028\u2029\u0085\r",
)
# Characters that are written with several plain ones.
_SPELLINGS = {
    "\u2014": "--",
    "\u2026": "...",
    "\u00e6": "ae",
    "\u00c6": "AE",
    "\u0153": "oe",
    "\u0152": "OE",
    "\u00df": "ss",
    "\u00f8": "o",
    "\u00d8": "O",
}
_CLASS_OF = {char: group for group in _LOOK_ALIKES for char in group}


def normalize_prompt(text: str, knows: Callable[[str], bool]) -> tuple[str, int]:
    """Replace unknown characters of `text` by known look-alikes; second, how many were replaced.

    Tried in turn: NFKC, a spelling in several letters, look-alike punctuation (curly for
    straight as well as straight for curly), the letter without its accents. A character with
    no known look-alike stays as it is. CRLF becomes LF and the text NFC, uncounted.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    replacements = {char: _replacement(char, knows) for char in set(text)}
    changed = {char: plain for char, plain in replacements.items() if plain != char}
    normalized = text.translate({ord(char): plain for char, plain in changed.items()})
    return normalized, sum(text.count(char) for char in changed)


def _replacement(char: str, knows: Callable[[str], bool]) -> str:
    if knows(char):
        return char
    fitting = (plain for plain in _candidates(char) if all(knows(part) for part in plain))
    return next(fitting, char)


def _candidates(char: str) -> Iterator[str]:
    compatible = unicodedata.normalize("NFKC", char)
    yield compatible
    if char in _SPELLINGS:
        yield _SPELLINGS[char]
    yield from _CLASS_OF.get(char, "")
    decomposed = unicodedata.normalize("NFD", compatible)
    without_accents = "".join(part for part in decomposed if not unicodedata.combining(part))
    if without_accents:
        yield without_accents
