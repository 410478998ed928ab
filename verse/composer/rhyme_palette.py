"""Rhyme palette: words of a checkpoint that rhyme with a word, and how likely each is in a place.

A word's probability is that of its letters after a text, and of no further letter behind them. All
words go through the network together, a row each. Knows nothing of forms.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from verse.composer.completion import logprobs_of
from verse.composer.kernels.completion_levels import score_any
from verse.composer.lexicon import Lexicon
from verse.composer.network_steps import Cursor, Logits, Steps, joined, read, rows_of, step
from verse.composer.voice import Voice
from verse.prosody.pronunciation import Pronunciation, Source
from verse.prosody.readings import readings

ROWS = 128  # words that are stepped together


@dataclass(frozen=True, slots=True)
class PaletteWord:
    """A word that rhymes: its syllables, and the logarithm of its probability in the place."""

    word: str
    syllables: int
    logprob: float


@dataclass(frozen=True, slots=True)
class Palette:
    """Words that rhyme with a word, by commonness in the checkpoint's texts."""

    word: str
    source: Source  # of what is known of its sound
    rhymes: tuple[str, ...]


def palette_of(lexicon: Lexicon, word: str) -> Palette | None:
    """Words that rhyme with a word by any of its readings; None where nothing is known of it."""
    known = readings(word)
    if not known:
        return None
    onsets = {each.onset for each in known}
    members = {
        each.word: lexicon.words[each.word]
        for rhyme in sorted({each.rhyme for each in known})
        for each in lexicon.classes.get(rhyme, [])
        if each.onset not in onsets
    }
    return Palette(word, known[0].source, tuple(members[number] for number in sorted(members)))


def weighed(voice: Voice, context: str, words: Sequence[str]) -> Steps[list[PaletteWord]]:
    """Words with their probabilities after a text, the likeliest first."""
    space = " " if context and not context[-1].isspace() else ""
    cursor = yield from read(voice.opening, _ids(voice, context + space))
    found: list[PaletteWord] = []
    for start in range(0, len(words), ROWS):
        some = words[start : start + ROWS]
        logprobs = yield from _logprobs(voice, cursor, [_ids(voice, word) for word in some])
        found += [
            PaletteWord(word, num_syllables(readings(word)), logprob)
            for word, logprob in zip(some, logprobs, strict=True)
        ]
    return sorted(found, key=lambda each: (-each.logprob, each.word))


def num_syllables(known: Sequence[Pronunciation]) -> int:
    """Syllables of a word as it is usually said."""
    return len(known[0].stresses)


def _ids(voice: Voice, text: str) -> list[int]:
    return voice.tokenizer.encode_prompt(text).ids[1:]


def _logprobs(voice: Voice, cursor: Cursor, words: list[list[int]]) -> Steps[list[float]]:
    """Log probability of each word (its ids) after the cursor, with its end."""
    ends = _word_ends(voice)
    state = joined([cursor.state] * len(words))
    totals, rows = [0.0] * len(words), list(range(len(words)))
    last = [cursor.last] * len(words)
    for place in range(max(map(len, words)) + 1):
        logits: Logits = yield from step(last, state)
        for row, number in enumerate(rows):
            ids = words[number]
            if place < len(ids):
                totals[number] += logprobs_of(logits[row], [ids[place]], 1.0)[0]
            else:
                totals[number] += score_any(logits[row], ends)
        going = [row for row, number in enumerate(rows) if place < len(words[number])]
        rows = [rows[row] for row in going]
        state = rows_of(state, going)
        last = [words[number][place] for number in rows]
        if not rows:
            break
    return totals


def _word_ends(voice: Voice) -> NDArray[np.int64]:
    """Ids of all that does not go on with a word."""
    tokenizer = voice.tokenizer
    texts = [tokenizer.token_text(number) for number in range(tokenizer.vocab_size)]
    ends = [number for number, text in enumerate(texts) if not (text.isalpha() or text == "'")]
    return np.array(ends, np.int64)
