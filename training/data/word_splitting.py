"""Words in a text of any script, as patterns: runs of letters with the apostrophes inside them.

Scripts that are written without spaces (Chinese, Japanese, Thai, Lao, Burmese, Khmer) have no
words that a program could see: whoever uses this decides what stands for one. Knows nothing of
counts.
"""

import re
import unicodedata

_LAST_OF_BMP = 0xFFFF
_MARKS = "".join(
    chr(code)
    for code in range(0x300, _LAST_OF_BMP + 1)
    if unicodedata.category(chr(code)).startswith("M")
)
LETTERS = f"(?:[^\\W\\d_]+[{_MARKS}]*)+"  # with the vowel signs that Indian scripts need
UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai and Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # Japanese
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
)

_SIMPLE = re.compile(r"'?[^\W\d_]+(?:'[^\W\d_]+)*'?")  # twice as fast, where it is the same
_ANY_LETTERS = f"(?:(?:(?![{UNSPACED}])[^\\W\\d_])+[{_MARKS}]*)+"
_ANY = re.compile(f"[{UNSPACED}]|'?{_ANY_LETTERS}(?:'{_ANY_LETTERS})*'?")
_NEEDS_ANY = re.compile(f"[{_MARKS}{UNSPACED}]")


def split_words(text: str) -> list[str]:
    """Split a text with straight apostrophes into words, with an apostrophe at either end.

    It may be a quotation mark or the word's own ('tis, th'): only counts can tell. A character of
    a script without spaces is a word.
    """
    return (_ANY if _NEEDS_ANY.search(text) else _SIMPLE).findall(text)
