"""Particles and line rules as columns: what the kernel of particles reads and moves on.

Shapes: N particles, T templates, S syllables, M nodes, W words, C characters a line. Knows nothing
of how a letter is chosen.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from verse.composer.kernels.arrays import NONE, Bits, Flags, Floats, Places

MAX_LINE = 256  # characters; a line that gets no end before is given up
SLOTS = 4096  # random numbers of a step: more than there are particles
GOING, FINISHED, DEAD = 0, 1, 2
MAX_TWIST = 40.0  # nats, above all bonuses of a step


class LineRules(NamedTuple):
    """Rules of one line as arrays; see `verse.composer.line_rules`, which makes them."""

    token: Places  # (M,) the trie
    first_child: Places
    next_sibling: Places
    word: Places
    start_root: int
    ends: Bits  # (M,) what the words are fit for, see TrieBits
    below: Bits
    bonus: Floats
    ends_last: Bits  # (M,) the same, of words that the line may end with
    below_last: Bits
    word_bonus: Floats  # (W,)
    last_weight: Floats  # (W,) how welcome the word is at the line's end
    bans_opening: Flags  # (W,) words that the line may not begin with
    lengths: Places  # (64,) syllables of each pattern
    going: Bits  # (T, S + 1) patterns after which the line goes on, by syllables before
    ending: Bits  # (T, S + 1) patterns that it ends with
    openings: Places  # ids that the line may begin with; none: any
    marks: Places  # ids of marks that follow a word
    closes: Flags  # which of them close a sentence
    space: int
    newline: int
    must_close: bool  # the line ends with a mark that closes a sentence
    temperature: float


class Particles(NamedTuple):
    """Columns of N particles."""

    node: Places  # in the trie; a root before a word
    before: Bits  # syllables before this word, a bit for each count that they may be
    after: Bits  # after a mark: syllables from which the line goes on
    can_end: Flags  # after a mark: whether the line may end
    in_mark: Flags
    closed: Flags  # whether the last mark closed a sentence
    template: Places
    weight: Floats  # logarithm
    logprob: Floats  # of the line so far, in nats, by the model as it is
    expected: Floats  # the same of what the model would have written on its own, on average
    length: Places  # characters so far
    tokens: NDArray[np.int64]  # (N, C)
    last_word: Places  # or NONE
    word_start: Places  # length before the word that is being written
    word_logprob: Floats  # logprob before the last word
    outcome: Places  # GOING, FINISHED or DEAD


def new_particles(count: int, template: Places, start_root: int) -> Particles:
    """Particles before a line; `template` (N,) is the metre that each keeps."""
    zeros = np.zeros(count, np.int64)
    floats, flags = np.zeros(count, np.float64), np.zeros(count, np.bool_)
    return Particles(
        node=np.full(count, start_root, np.int64),
        before=np.ones(count, np.uint64),
        after=np.zeros(count, np.uint64),
        can_end=flags.copy(),
        in_mark=flags.copy(),
        closed=flags.copy(),
        template=template,
        weight=floats.copy(),
        logprob=floats.copy(),
        expected=floats.copy(),
        length=zeros.copy(),
        tokens=np.zeros((count, MAX_LINE), np.int64),
        last_word=np.full(count, NONE, np.int64),
        word_start=zeros.copy(),
        word_logprob=floats.copy(),
        outcome=zeros.copy(),
    )


def picked(particles: Particles, rows: Places) -> Particles:
    """Copy of these particles, in this order, each as often as it is named."""
    columns: list[Any] = [column[rows] for column in particles]
    return Particles(*columns)
