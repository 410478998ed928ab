"""Kernel of particles: the next letter of every unfinished version of a line.

Sequential Monte Carlo (Doucet, de Freitas & Gordon 2001): each particle takes its next letter from
those that can still lead to a line that keeps its rules, and is weighted by the share of the
model's probability that they had, so that together they stand for the model's own lines that keep
the form. What can still lead there is known for each letter from the word trie: no particle has
to be thrown away at a word's end. A `bonus` pulls towards words: their letters are likelier by it,
and what turns away from the word gives it back.

Shapes: N particles, V vocabulary, T templates, S syllables, M nodes, W words, C characters a line.
Knows nothing of networks and of who asks for the line.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.decoding.kernels.compiling import kernel, part
from model.decoding.kernels.numerics import exp, log
from model.decoding.kernels.row_sampling import uniform
from verse.composer.kernels.arrays import NONE, Bits, Floats, Places
from verse.composer.kernels.logit_sums import Logits, expected_logprob, highest_of, log_total
from verse.composer.kernels.particle_columns import (
    DEAD,
    FINISHED,
    MAX_LINE,
    MAX_TWIST,
    SLOTS,
    LineRules,
    Particles,
)


class Reach(NamedTuple):
    """What a particle's word leads to, if it ends here."""

    after: Any  # uint64: syllables from which the line goes on
    can_end: bool


@part
def patterns_at(before: Any, going: Bits) -> Any:
    """Patterns that fit after any of the counts of syllables in `before`; going: (S + 1,)."""
    found = np.uint64(0)
    for place in range(len(going)):
        if (before >> np.uint64(place)) & np.uint64(1):
            found |= going[place]
    return found


@part
def word_end(particles: Particles, rules: LineRules, i: int) -> Reach:
    """Where particle i gets if its word ends at its node: nowhere, on, or to the line's end."""
    node, before = particles.node[i], particles.before[i]
    word = rules.word[node]
    after = np.uint64(0)
    can_end = False
    if word < 0 or word == particles.last_word[i]:
        return Reach(after, can_end)
    if particles.last_word[i] < 0 and rules.bans_opening[word]:
        return Reach(after, can_end)
    going, ending = rules.going[particles.template[i]], rules.ending[particles.template[i]]
    for place in range(len(going)):
        if (before >> np.uint64(place)) & np.uint64(1):
            fitting = rules.ends[node] & going[place]
            for pattern in range(len(rules.lengths)):
                if (fitting >> np.uint64(pattern)) & np.uint64(1):
                    after |= np.uint64(1) << np.uint64(place + rules.lengths[pattern])
            if rules.ends_last[node] & ending[place]:
                can_end = True
    return Reach(after, can_end)


@part
def offer_letters(
    particles: Particles, rules: LineRules, i: int, ids: Places, twists: Floats, nodes: Places
) -> int:
    """Write the letters that particle i can take, what they gain, and their nodes; how many."""
    node, template = particles.node[i], particles.template[i]
    going = patterns_at(particles.before[i], rules.going[template])
    ending = patterns_at(particles.before[i], rules.ending[template])
    here = 0.0 if is_root(rules, node) else rules.bonus[node]
    count = 0
    child = rules.first_child[node]
    while child >= 0:
        leads_on = (rules.below[child] & going) | (rules.below_last[child] & ending)
        if leads_on and (particles.length[i] > 0 or is_opening(rules, rules.token[child])):
            ids[count] = rules.token[child]
            twists[count] = rules.bonus[child] - here
            nodes[count] = child
            count += 1
        child = rules.next_sibling[child]
    return count


@part
def is_root(rules: LineRules, node: int) -> bool:
    """Whether a node is one of the two from which words begin."""
    return node == 0 or node == rules.start_root  # noqa: PLR1714 - numba walks no tuple here


@part
def is_opening(rules: LineRules, token: int) -> bool:
    """Whether the line may begin with this id."""
    found = len(rules.openings) == 0
    for each in rules.openings:
        found = found or each == token
    return found


@part
def offer_marks(
    particles: Particles, rules: LineRules, i: int, reach: Reach, ids: Places, twists: Floats
) -> int:
    """Write the space, marks and line end that particle i can take after a word; how many."""
    node = particles.node[i]
    word = rules.word[node] if not particles.in_mark[i] else particles.last_word[i]
    twist = 0.0 if particles.in_mark[i] else rules.word_bonus[word] - rules.bonus[node]
    closed = particles.closed[i] and particles.in_mark[i]
    count = 0
    if reach.after != 0:
        ids[count], twists[count] = rules.space, twist
        count += 1
    if reach.can_end and (closed or not rules.must_close):
        ids[count], twists[count] = rules.newline, twist + log(rules.last_weight[word])
        count += 1
    if not particles.in_mark[i]:
        for mark in range(len(rules.marks)):
            ends = reach.can_end and (rules.closes[mark] or not rules.must_close)
            if reach.after != 0 or ends:
                ids[count], twists[count] = rules.marks[mark], twist
                count += 1
    return count


@part
def take(
    particles: Particles, rules: LineRules, i: int, token: int, node: int, reach: Reach
) -> None:
    """Move particle i on by a letter that leads to `node`, or (NONE) a space, mark or line end."""
    if node >= 0:
        particles.node[i] = node
        return
    if not particles.in_mark[i]:
        particles.last_word[i] = rules.word[particles.node[i]]
        particles.after[i], particles.can_end[i] = reach.after, reach.can_end
        particles.closed[i] = False
    if token == rules.newline:
        particles.outcome[i] = FINISHED
    elif token == rules.space:
        particles.before[i] = particles.after[i]
        particles.node[i] = rules.start_root if particles.closed[i] else 0
        particles.in_mark[i] = False
        particles.word_start[i] = particles.length[i] + 1
    else:
        particles.in_mark[i] = True
        for mark in range(len(rules.marks)):
            if rules.marks[mark] == token:
                particles.closed[i] = rules.closes[mark]


@part
def choose_place(weights: Floats, number: float, mass: float) -> int:
    """Place of a random number in [0, 1) among weights, whose sum is `mass`."""
    place, running = 0, weights[0]
    while place + 1 < len(weights) and running <= number * mass:
        place += 1
        running += weights[place]
    return place


@part
def weigh(logits: Logits, scale: Any, temperature: float, ids: Places, weights: Floats) -> float:
    """Turn twists of ids into their shares, times e^-MAX_TWIST; the sum of these.

    `scale` is the highest of all logits and `log_total` at the temperature.
    """
    mass = 0.0
    for k in range(len(ids)):
        # exp takes what is at most 0; twists are bounded.
        share = (np.float64(logits[ids[k]]) - scale[0]) / temperature - scale[1]
        weights[k] = exp(min(share + weights[k] - MAX_TWIST, 0.0))
        mass += weights[k]
    return mass


@part
def offer(
    particles: Particles, rules: LineRules, i: int, ids: Places, twists: Floats, nodes: Places
) -> Any:
    """Write all that particle i can take; how many letters, how many in all, and where a word's
    end leads.
    """
    if particles.in_mark[i]:
        reach, letters = Reach(particles.after[i], particles.can_end[i]), 0
    else:
        reach = word_end(particles, rules, i)
        letters = offer_letters(particles, rules, i, ids, twists, nodes)
    count = letters
    if reach.after != 0 or reach.can_end:
        count += offer_marks(particles, rules, i, reach, ids[letters:], twists[letters:])
    return letters, count, reach


@part
def step_one(
    logits: Logits,
    particles: Particles,
    rules: LineRules,
    i: int,
    number: float,
    ids: Places,
    weights: Floats,
    nodes: Places,
) -> None:
    """Choose the next character of particle i by a random number in [0, 1)."""
    if is_root(rules, particles.node[i]) and not particles.in_mark[i]:
        particles.word_logprob[i] = particles.logprob[i]
    letters, count, reach = offer(particles, rules, i, ids, weights, nodes)
    highest = highest_of(logits)
    t = rules.temperature
    total, heated = log_total(logits, highest, 1.0), log_total(logits, highest, t)
    mass = weigh(logits, (highest, heated), t, ids[:count], weights[:count])
    if mass < 1e-300 or particles.length[i] + 1 >= MAX_LINE:
        particles.outcome[i] = DEAD
        return
    chosen = choose_place(weights[:count], number, mass)
    token = ids[chosen]
    particles.weight[i] += log(mass) + MAX_TWIST
    particles.expected[i] += expected_logprob(logits, highest, total, heated, t)
    particles.logprob[i] += np.float64(logits[token]) - highest - total
    particles.tokens[i, particles.length[i]] = token
    take(particles, rules, i, token, nodes[chosen] if chosen < letters else NONE, reach)
    particles.length[i] += 1


@kernel
def step_particles(
    logits: NDArray[np.float32], particles: Particles, rules: LineRules, seed: int, step: int
) -> None:
    """Choose the next character of every particle by its logits (N, V); columns change in place.

    The random number of a particle is a function of (seed, step, its place).
    """
    room = logits.shape[1] + 8
    ids, nodes = np.zeros(room, np.int64), np.zeros(room, np.int64)
    weights = np.zeros(room, np.float64)
    for i in range(len(logits)):
        number = uniform(seed, step * SLOTS + i)
        step_one(logits[i], particles, rules, i, number, ids, weights, nodes)
