"""Character lines: lines of any script that hold so many letters, written by particles.

For languages whose sounds are not known here, and for forms by characters: five and seven of a
Chinese poem, a haiku by letters. Letters count, as the verifier counts them; marks, spaces and the
accents that some scripts write as characters of their own do not. Knows nothing of words.

Shapes: N particles, V vocabulary.
"""

import unicodedata

import numpy as np

from model.tokenizer import BOS_ID, UNK_ID, Tokenizer
from verse.composer.kernels.character_steps import (
    ACCENT,
    END,
    LETTER,
    MARK,
    NEVER,
    SPACE,
    CharacterRules,
    step_characters,
)
from verse.composer.kernels.particle_columns import (
    FINISHED,
    GOING,
    MAX_LINE,
    SLOTS,
    new_particles,
    picked,
)
from verse.composer.line_search import Candidate, candidate_of, resampled
from verse.composer.network_steps import Cursor, Steps, read, rows_of, step
from verse.composer.weighted_draw import derived_seed, random_number
from verse.forms import MAX_LINE_CHARACTERS, LineSpec, range_of

_CLOSING = ".!?\u2026\u3002\uff01\uff1f"  # and the ellipsis, and those of full width


def character_rules(
    tokenizer: Tokenizer, line: LineSpec, *, must_close: bool, temperature: float
) -> CharacterRules:
    """Rules of a line; without `characters` it may have any number of letters.

    A line must close with a mark only where the vocabulary has one.
    """
    texts = [tokenizer.token_text(token) for token in range(tokenizer.vocab_size)]
    kind = np.array([_kind(text) for text in texts], np.int64)
    kind[[UNK_ID, BOS_ID]] = NEVER
    closes = np.array([text in _CLOSING for text in texts], np.bool_) & (kind == MARK)
    least, most = range_of(line.characters) or (1, MAX_LINE_CHARACTERS)
    openings = kind == LETTER
    if line.acrostic is not None:
        folded = line.acrostic.casefold()
        openings &= np.array([text.casefold() == folded for text in texts], np.bool_)
    return CharacterRules(
        kind=kind,
        closes=closes,
        openings=openings,
        least=least,
        most=most,
        must_close=must_close and bool(closes.any()),
        temperature=temperature,
    )


def _kind(text: str) -> int:
    if len(text) != 1:
        return NEVER
    if text in "\n ":
        return END if text == "\n" else SPACE
    category = unicodedata.category(text)
    if category[0] == "L":
        return LETTER
    if category[0] == "M":
        return ACCENT
    return MARK if category[0] == "P" and category not in ("Ps", "Pi") else NEVER


Begun = tuple[tuple[int, ...], int]  # ids that a line begins with, and how many letters they hold


def counted_letters(text: str) -> int:
    """Letters of a text, as `characters` counts them."""
    return sum(char.isalpha() for char in text)


def spaced(start: str) -> str:
    """Words that a line begins with, and the space behind them where their script has one."""
    is_wide = unicodedata.east_asian_width(start.rstrip()[-1:] or " ") in {"W", "F"}
    return start.rstrip() + ("" if is_wide else " ")


def search_characters(
    cursor: Cursor, begun: Begun, rules: CharacterRules, count: int, seed: int
) -> Steps[list[Candidate]]:
    """Write a line by `count` particles, behind the words that it begins with."""
    start, letters = begun
    particles = new_particles(count, np.zeros(count, np.int64), 0)
    particles.tokens[:, : len(start)] = start
    particles.length[:] = len(start)
    particles.before[:] = letters
    cursor = yield from read(cursor, start)
    state = rows_of(cursor.state, [0] * count)
    ids = np.full(count, cursor.last, np.int64)
    seed = derived_seed(seed, "letters")
    found = []
    for place in range(MAX_LINE):
        logits = yield from step(ids, state)
        step_characters(logits, particles, rules, seed, place)
        ids = particles.tokens[np.arange(len(ids)), np.maximum(particles.length - 1, 0)]
        found += [
            candidate_of(particles, state, int(row), len(start))
            for row in np.flatnonzero(particles.outcome == FINISHED)
        ]
        going = np.flatnonzero(particles.outcome == GOING)
        if len(going) == 0:
            break
        going = resampled(particles, going, random_number(seed, place * SLOTS + SLOTS - 1))
        particles, state, ids = picked(particles, going), rows_of(state, going), ids[going]
    return found
