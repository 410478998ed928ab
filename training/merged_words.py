"""Word list of a fine-tuned checkpoint: the words of its text, then its parent's.

The text's own words count as much as all of the parent's together, so that verse in forms has the
parent's words and leans to the text's. Associates are the text's, then the parent's.

Knows nothing of how words are counted.
"""

from model.word_list import (
    BITS_PER_LEVEL,
    MAX_ASSOCIATED,
    MAX_ASSOCIATES,
    MAX_WORDS,
    WordList,
    pack,
)

_MOST = 2**32 - 1


def merged_words(own: WordList, parent: WordList) -> WordList:
    """Merge the word list of a text with that of the checkpoint that it is learned from.

    Of too many words the parent's rarest are left out.
    """
    weight = max(1, int(parent.counts.sum()) // max(1, int(own.counts.sum())))
    counts = {word: _counts(own, at, weight) for at, word in enumerate(own.words)}
    for at, word in enumerate(parent.words):
        if word in counts:
            counts[word] = [
                a + b for a, b in zip(counts[word], _counts(parent, at, 1), strict=True)
            ]
        elif len(counts) < MAX_WORDS:
            counts[word] = _counts(parent, at, 1)
    words = sorted(counts, key=lambda word: (-min(counts[word][0], _MOST), word))
    num_associated = min(MAX_ASSOCIATED, len(words))
    places = {word: place for place, word in enumerate(words[:num_associated])}
    associates = [_associates(word, (own, parent), places) for word in words[:num_associated]]
    columns = [[min(counts[word][column], _MOST) for word in words] for column in range(3)]
    return pack(words, columns, associates)


def _counts(words: WordList, at: int, weight: int) -> list[int]:
    columns = (words.counts, words.lower_counts, words.capital_counts)
    return [weight * int(column[at]) for column in columns]


def _associates(
    word: str, lists: tuple[WordList, WordList], places: dict[str, int]
) -> list[tuple[int, int]]:
    near: dict[int, int] = {}
    for each in lists:
        for other, bits in each.associates(word):
            if other in places:
                near.setdefault(places[other], round(bits / BITS_PER_LEVEL))
    return list(near.items())[:MAX_ASSOCIATES]
