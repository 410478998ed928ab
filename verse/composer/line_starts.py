"""Starts of lines: the words that a line begins with, as particles that have them already.

Knows nothing of networks.
"""

import numpy as np

from verse.composer.kernels.particle_columns import Particles, new_particles
from verse.composer.lexicon import CLOSING, Lexicon
from verse.composer.line_rules import before_tail, begun_counts
from verse.forms import LineSpec
from verse.prosody.line_words import line_words


def first_particles(lexicon: Lexicon, line: LineSpec) -> Particles:
    """Particles at the beginning of a line, or behind the words that it starts with.

    One for each metre that these words fit, so that there are none where they fit no metre.
    """
    metres = start_counts(line)
    fitting = [row for row, counts in enumerate(metres) if counts]
    particles = new_particles(len(fitting), np.array(fitting, np.int64), lexicon.trie.start_root)
    if line.start is None:
        return particles
    ids = start_ids(lexicon, line.start)
    particles.tokens[:, : len(ids)] = ids
    particles.length[:] = particles.word_start[:] = len(ids)
    if not line.start.rstrip().endswith(tuple(CLOSING)):
        particles.node[:] = 0
    particles.before[:] = [sum(1 << count for count in metres[row]) for row in fitting]
    words = lexicon.numbers_of([line_words(line.start)[-1].text.casefold()])
    # A word that it has not is any other one: behind it no word opens the line.
    particles.last_word[:] = words[0] if words else len(lexicon.words)
    return particles


def start_ids(lexicon: Lexicon, start: str) -> list[int]:
    """Ids of a line's first words and the space behind them."""
    return lexicon.tokenizer.encode_prompt(start.rstrip() + " ").ids[1:]


def start_counts(line: LineSpec) -> list[set[int]]:
    """Syllables that a line's first words may have, for each of its metres; none: do not fit."""
    if line.start is None:
        return [{0} for _ in before_tail(line)]
    return [begun_counts(line, line.start, places) for places, _ in before_tail(line)]
