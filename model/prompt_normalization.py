"""Prompt normalization: unknown characters are written with those that a vocabulary has.

A corpus of plain text has straight quotes and few accents, while keyboards and web pages give
curly quotes, ligatures and dashes. Normalizing keeps a prompt legible to the model.
Knows nothing of ids: the vocabulary is a question, `knows(char)`.
"""

import re
import unicodedata
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from itertools import accumulate, groupby

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
FIRST_MARK = "\u0300"  # what stands before it in Unicode is in NFC
LONG_RUN = 64  # marks in a row, which no writing has
_CHARACTER = re.compile("\r\n|.", re.DOTALL)  # CRLF is one
_CLASS_OF = {char: group for group in _LOOK_ALIKES for char in group}


def normalize_prompt(text: str, knows: Callable[[str], bool]) -> tuple[str, int]:
    """Replace unknown characters of `text` by known look-alikes; second, how many were replaced.

    Tried in turn: NFKC, a spelling in several letters, look-alike punctuation (curly for
    straight as well as straight for curly), the letter without its accents. A character with
    no known look-alike stays as it is. CRLF becomes LF and the text NFC, uncounted.
    """
    composed = _composed(text)
    changed = _changed(composed, knows)
    normalized = composed.translate({ord(char): plain for char, plain in changed.items()})
    return normalized, sum(composed.count(char) for char in changed)


def normalized_origins(text: str, knows: Callable[[str], bool]) -> list[int]:
    """Index in `text` of the character that each character of `normalize_prompt` was made of.

    Characters that one character became share its index. Never falls: of combining marks that NFC
    puts into another order, the earlier one stands where the later one does.
    """
    composed = _composed(text)
    changed = _changed(composed, knows)
    return [
        origin
        for char, origin in zip(composed, _composed_origins(text, composed), strict=True)
        for _ in changed.get(char, char)
    ]


def _composed(text: str) -> str:
    """Text in NFC, with LF for CRLF."""
    return composed(text.replace("\r\n", "\n"))


def composed(text: str) -> str:
    """Text in NFC, in time that grows with its length, whatever runs of marks it holds."""
    if text.isascii() or max(text) < FIRST_MARK:
        return text
    parts = {char: unicodedata.normalize("NFD", char) for char in set(text)}
    marks = "".join(char for char, part in parts.items() if unicodedata.combining(part[0]))
    if marks and re.search(f"[{re.escape(marks)}]{{{LONG_RUN}}}", text):
        text = _with_ordered_marks("".join([parts[char] for char in text]))
    return unicodedata.normalize("NFC", text)


def _with_ordered_marks(decomposed: str) -> str:
    """Order runs of combining marks canonically.

    `unicodedata` does so by insertion: a run of 100,000 marks would take it a minute.
    """
    runs = groupby(decomposed, lambda char: unicodedata.combining(char) > 0)
    return "".join(
        each
        for are_marks, run in runs
        for each in (sorted(run, key=unicodedata.combining) if are_marks else run)
    )


def _composed_origins(text: str, composed: str) -> Iterator[int]:
    """Index in `text` of the first character that each character of `composed` was made of."""
    if text == composed:
        return iter(range(len(text)))
    # Both have the same canonical decomposition but for the order of combining marks, and equal
    # ones keep theirs: so the parts of each character are the next ones of their kind.
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for unit in _CHARACTER.finditer(text):
        for part in unicodedata.normalize("NFD", unit[0][-1]):
            places[part].append(unit.start())
    firsts = (
        min([places[part].popleft() for part in unicodedata.normalize("NFD", char)])
        for char in composed
    )
    return accumulate(firsts, max)


def _changed(text: str, knows: Callable[[str], bool]) -> dict[str, str]:
    """Each character of `text` that is written otherwise, and how."""
    replacements = {char: _replacement(char, knows) for char in set(text)}
    return {char: plain for char, plain in replacements.items() if plain != char}


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
