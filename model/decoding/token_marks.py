"""Token marks: which tokens of a vocabulary break a line, open a word, and with which letter.

Each is found once for a tokenizer. Shapes: V vocabulary. Knows nothing of rows and of texts.
"""

from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from model.avoided_words import folded, is_word_character
from model.tokenizer import Tokenizer

PLAIN, LINE_BREAK, SPACE = 0, 1, 2  # marks of `breaks_of`

_breaks: "WeakKeyDictionary[Tokenizer, NDArray[np.int8]]" = WeakKeyDictionary()
_letters: "WeakKeyDictionary[Tokenizer, list[str]]" = WeakKeyDictionary()


def breaks_of(tokenizer: Tokenizer) -> NDArray[np.int8]:
    """Mark of each token (V,): LINE_BREAK is a newline, SPACE one that begins with a space."""
    if tokenizer not in _breaks:
        texts = tokenizer.token_texts
        _breaks[tokenizer] = np.array([_break_of(text) for text in texts], np.int8)
    return _breaks[tokenizer]


def _break_of(text: str) -> int:
    if text == "\n":
        return LINE_BREAK
    return SPACE if text.startswith(" ") else PLAIN


def first_letters_of(tokenizer: Tokenizer) -> list[str]:
    """First letter of a word in each token (V), folded; empty where there is none."""
    if tokenizer not in _letters:
        texts = tokenizer.token_texts
        firsts = [next(filter(is_word_character, text), "") for text in texts]
        _letters[tokenizer] = [folded(each) for each in firsts]
    return _letters[tokenizer]
