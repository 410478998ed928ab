"""Choice of a poem's words: which are left out, and which are welcome because of its subject.

Knows nothing of lines and networks.
"""

from collections.abc import Iterable
from functools import cache
from importlib import resources

import numpy as np

from model.word_list import WordList
from verse.composer.lexicon import Lexicon
from verse.composer.line_rules import Diction
from verse.poem_request import PoemRequest
from verse.prosody.function_words import is_function_word
from verse.prosody.line_words import line_words, with_straight_apostrophes

PREFERRED = 2.0  # nats
KEYWORD, URGENT_KEYWORD = 3.0, 6.0  # of a word that must occur and has not yet
SUBJECT = 1.5  # of the subject's own words, and of its nearest neighbours
NEAREST_BITS = 6.0  # pointwise mutual information from which a neighbour is as near as can be
_MODERN_CLITICS = ("s'", "'s", "'ll", "'re", "'ve", "'m", "n't")
_MODERN = frozenset(
    [
        *("i'd", "you'd", "he'd", "she'd", "it'd", "we'd", "they'd", "who'd", "there'd", "that'd"),
        *("o'clock", "ma'am", "rock'n'roll"),
    ]
)
_NO_VERBS = ("tieth", "teeth", "beth", "gareth", "nazareth", "seth")  # thirtieth, Macbeth


def diction_of(lexicon: Lexicon, word_list: WordList | None, request: PoemRequest) -> Diction:
    """Words for a poem: those that are avoided banned, those that are welcome with a bonus."""
    banned = np.zeros(len(lexicon.words), np.bool_)
    banned[lexicon.numbers_of(folded(request.avoid))] = True
    if request.modern:
        banned |= np.fromiter(map(is_archaic, lexicon.words), np.bool_, len(lexicon.words))
    bonus = np.zeros(len(lexicon.words))
    subject = request.subject or content_words(request.title)
    if word_list is not None:
        for word in folded(subject):
            for neighbour, bits in word_list.associates(word):
                near = SUBJECT * min(1.0, bits / NEAREST_BITS)
                for number in lexicon.numbers_of([neighbour]):
                    bonus[number] = max(bonus[number], near)
    bonus[lexicon.numbers_of(folded(subject))] = SUBJECT
    bonus[lexicon.numbers_of(folded(request.prefer))] = PREFERRED
    return Diction(lexicon, banned, bonus)


def folded(words: Iterable[str]) -> list[str]:
    """Words as the lexicon spells them: small letters, straight apostrophes."""
    return [with_straight_apostrophes(word.casefold()) for word in words]


def content_words(title: str) -> list[str]:
    """Words of a title that say what it is about."""
    words = [word.text.casefold() for word in line_words(title)]
    return [word for word in words if len(word) > 2 and not is_function_word(word)]


@cache
def archaic_words() -> frozenset[str]:
    """Words that only older verse has."""
    text = (resources.files("verse.composer") / "archaic_words.txt").read_text("utf-8")
    return frozenset(text.split())


def is_archaic(word: str) -> bool:
    """Check whether a word is archaic, by list or spelling: `heav'n`, `lov'd`, `loveth`."""
    is_verb = word.endswith("eth") and len(word) > 4 and not word.endswith(_NO_VERBS)
    if word in archaic_words() or is_verb:
        return True
    return "'" in word and not word.endswith(_MODERN_CLITICS) and word not in _MODERN
