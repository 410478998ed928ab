"""Starts of lines: the words that a line begins with, as a particle that has them already.

Knows nothing of networks.
"""

import numpy as np

from verse.composer.kernels.particle_columns import Particles, new_particles
from verse.composer.lexicon import Lexicon
from verse.composer.line_rules import before_tail, syllable_counts
from verse.forms import LineSpec
from verse.prosody.line_words import line_words


def first_particle(lexicon: Lexicon, line: LineSpec) -> Particles:
    """One particle (1 row) at the beginning of a line, or behind the words that it starts with."""
    particle = new_particles(1, np.zeros(1, np.int64), lexicon.trie.start_root)
    if line.start is None:
        return particle
    ids = start_ids(lexicon, line.start)
    particle.tokens[0, : len(ids)] = ids
    particle.length[0] = len(ids)
    particle.word_start[0] = len(ids)
    particle.node[0] = 0
    particle.before[0] = sum(1 << count for count in start_counts(line))
    words = lexicon.numbers_of([line_words(line.start)[-1].text.casefold()])
    # A word that it has not is any other one: behind it no word opens the line.
    particle.last_word[0] = words[0] if words else len(lexicon.words)
    return particle


def start_ids(lexicon: Lexicon, start: str) -> list[int]:
    """Ids of a line's first words and the space behind them."""
    return lexicon.tokenizer.encode_prompt(start.rstrip() + " ").ids[1:]


def start_counts(line: LineSpec) -> set[int]:
    """Counts of syllables that a line's first words may have where they fit its metre."""
    return {
        count
        for places, _ in before_tail(line)
        for count in syllable_counts(line.start or "", places)
    }
