"""Kernel of character lines: the next character of every particle, by counts of letters alone.

Shapes: N particles, V vocabulary. Knows nothing of words and scripts.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.decoding.kernels.compiling import kernel, part
from model.decoding.kernels.numerics import exp, log
from model.decoding.kernels.row_sampling import uniform
from verse.composer.kernels.arrays import Flags, Floats, Places
from verse.composer.kernels.particle_columns import DEAD, FINISHED, MAX_LINE, SLOTS, Particles

NEVER, LETTER, MARK, SPACE, END, ACCENT = 0, 1, 2, 3, 4, 5


class CharacterRules(NamedTuple):
    """Rules of one line as arrays."""

    kind: Places  # (V,) NEVER, LETTER, MARK, SPACE, END or ACCENT, which follows a letter
    closes: Flags  # (V,) marks that close a sentence
    openings: Flags  # (V,) ids that the line may begin with
    least: int  # letters
    most: int
    must_close: bool
    temperature: float


@part
def is_written(kind: int) -> bool:
    """Whether a character is a letter or a part of one."""
    return bool(kind == LETTER) or bool(kind == ACCENT)


@part
def may_take(particles: Particles, rules: CharacterRules, i: int, token: int) -> bool:
    """Whether particle i may take this character."""
    kind, letters = rules.kind[token], np.int64(particles.before[i])
    may = False
    if particles.length[i] == 0:
        may = bool(kind == LETTER and rules.openings[token])
    else:
        last = rules.kind[particles.tokens[i, particles.length[i] - 1]]
        closed = bool(particles.in_mark[i] and particles.closed[i])
        has_room = bool(letters < rules.most)
        if kind == LETTER:
            may = has_room
        elif kind == ACCENT:
            may = is_written(last)
        elif kind == SPACE:
            may = bool(last != SPACE and has_room)
        elif kind == MARK:
            may = is_written(last) and bool(has_room or rules.closes[token] or not rules.must_close)
        elif kind == END:
            may = bool(
                last != SPACE and letters >= rules.least and (closed or not rules.must_close)
            )
    return may


@kernel
def step_characters(
    logits: NDArray[np.float32], particles: Particles, rules: CharacterRules, seed: int, step: int
) -> None:
    """Choose the next character of every particle by its logits (N, V); columns change in place."""
    shares = np.zeros(logits.shape[1], np.float64)
    for i in range(len(logits)):
        choose_character(logits[i], particles, rules, i, uniform(seed, step * SLOTS + i), shares)


@part
def choose_character(
    logits: NDArray[np.float32],
    particles: Particles,
    rules: CharacterRules,
    i: int,
    number: float,
    shares: Floats,
) -> None:
    """Choose the next character of particle i by a random number in [0, 1)."""
    t = rules.temperature
    highest = np.float64(max(logits))
    total, heated, mean, mass = 0.0, 0.0, 0.0, 0.0
    for v in range(len(logits)):
        shifted = np.float64(logits[v]) - highest
        share = exp(shifted / t)
        total += exp(shifted)
        heated += share
        mean += share * shifted
        shares[v] = share if may_take(particles, rules, i, v) else 0.0
        mass += shares[v]
    if mass < 1e-300 or particles.length[i] + 1 >= MAX_LINE:
        particles.outcome[i] = DEAD
        return
    token, running = -1, 0.0
    for v in range(len(logits)):
        if shares[v] > 0.0 and (token < 0 or running <= number * mass):
            token = v
            running += shares[v]
    particles.weight[i] += log(mass) - log(heated)
    particles.expected[i] += mean / heated - log(total)
    particles.word_logprob[i] = particles.logprob[i]
    particles.logprob[i] += np.float64(logits[token]) - highest - log(total)
    particles.tokens[i, particles.length[i]] = token
    particles.length[i] += 1
    particles.in_mark[i] = rules.kind[token] == MARK
    particles.closed[i] = rules.closes[token]
    if rules.kind[token] == LETTER:
        particles.before[i] += np.uint64(1)
    if rules.kind[token] == END:
        particles.outcome[i] = FINISHED
