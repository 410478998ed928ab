"""Line search: particles write one line from where a poem stands, to its end or to its last word.

The lines that came to their end are candidates; where the last word must rhyme, the places before
it are prefixes, which `verse.composer.completion` finishes. Knows nothing of poems.
"""

from dataclasses import dataclass, field

import numpy as np

from verse.composer.kernels.arrays import Bits, Places
from verse.composer.kernels.draws import NEVER, resample
from verse.composer.kernels.particle_columns import (
    FINISHED,
    GOING,
    MAX_LINE,
    SLOTS,
    LineRules,
    Particles,
    picked,
)
from verse.composer.kernels.particle_steps import step_particles
from verse.composer.network_steps import Cursor, Logits, State, Steps, rows_of, step
from verse.composer.weighted_draw import derived_seed, random_number

MAX_PREFIXES = 512


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finished line: its ids with the line end, and what the model thought of it."""

    ids: tuple[int, ...]
    num_given: int  # of the first ids, which were not chosen
    weight: float  # logarithm, among the candidates of one search
    logprob: float  # of the ids behind those that were given, in nats
    expected: float  # of as many that the model would have written here on its own
    end_logprob: float  # of the last word and what follows it
    last_word: int
    cursor: Cursor  # its last id is the line end

    @property
    def fluency(self) -> float:
        """Mean log probability of a character that was chosen, in nats."""
        return self.logprob / (len(self.ids) - self.num_given)

    @property
    def free_fluency(self) -> float:
        """Mean log probability of a character that the model would write on its own, in nats."""
        return self.expected / (len(self.ids) - self.num_given)


@dataclass(frozen=True, slots=True)
class Prefix:
    """A line without its last word."""

    ids: tuple[int, ...]
    num_given: int
    weight: float
    logprob: float
    expected: float
    node: int  # a root of the trie
    syllables: int  # counts that they may be, as bits
    template: int
    last_word: int
    cursor: Cursor


@dataclass(slots=True)
class Found:
    """Lines that a search found."""

    num_given: int  # ids with which the line began
    candidates: list[Candidate] = field(default_factory=list)
    prefixes: list[Prefix] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Start:
    """Place where a line's own words begin: behind the poem so far and the words that are given."""

    cursor: Cursor
    particles: Particles  # a row for each metre that it may keep


def search_line(
    start: Start, rules: LineRules, count: int, seed: int, last_patterns: Bits | None = None
) -> Steps[Found]:
    """Write a line by `count` particles.

    With `last_patterns` (T, S + 1), the patterns by syllables before them that the last word may
    have, places before it are kept as prefixes.
    """
    metres = len(start.particles.template)
    found = Found(int(start.particles.length[0]))
    spread = (int(random_number(seed, i) * metres) for i in range(count))
    particles = picked(start.particles, np.fromiter(spread, np.int64, count))
    state = rows_of(start.cursor.state, [0] * count)
    ids = np.full(count, start.cursor.last, np.int64)
    if last_patterns is not None:
        _keep_prefixes(found, particles, state, ids, last_patterns)
    seed = derived_seed(seed, "letters")
    for place in range(MAX_LINE):
        logits: Logits = yield from step(ids, state)
        step_particles(logits, particles, rules, seed, place)
        ids = particles.tokens[np.arange(len(ids)), np.maximum(particles.length - 1, 0)]
        for row in np.flatnonzero(particles.outcome == FINISHED):
            found.candidates.append(candidate_of(particles, state, int(row), found.num_given))
        going = np.flatnonzero(particles.outcome == GOING)
        if len(going) == 0:
            break
        going = resampled(particles, going, random_number(seed, place * SLOTS + SLOTS - 1))
        if len(going) < len(ids) or (going != np.arange(len(ids))).any():
            particles, state, ids = picked(particles, going), rows_of(state, going), ids[going]
        if last_patterns is not None:
            _keep_prefixes(found, particles, state, ids, last_patterns)
    return found


def resampled(particles: Particles, going: Places, number: float) -> Places:
    """Rows that go on, resampled among themselves where their weights have come to differ much."""
    rows = np.zeros(len(going), np.int64)
    weight = resample(particles.weight[going], number, rows)
    if weight == NEVER:
        return going
    particles.weight[going] = weight
    return going[rows]


def candidate_of(particles: Particles, state: State, row: int, num_given: int) -> Candidate:
    """Finished line of a particle; `state` is its rows' before the line end."""
    length = int(particles.length[row])
    logprob = float(particles.logprob[row])
    ids = tuple(particles.tokens[row, :length].tolist())
    return Candidate(
        ids=ids,
        num_given=num_given,
        weight=float(particles.weight[row]),
        logprob=logprob,
        expected=float(particles.expected[row]),
        end_logprob=logprob - float(particles.word_logprob[row]),
        last_word=int(particles.last_word[row]),
        cursor=Cursor(rows_of(state, [row]), ids[-1]),
    )


def _keep_prefixes(
    found: Found,
    particles: Particles,
    state: State,
    ids: Places,
    last_patterns: Bits,
) -> None:
    """Keep particles that stand before a word which may be the line's last."""
    before_word = (particles.word_start == particles.length) & ~particles.in_mark
    for row in np.flatnonzero(before_word).tolist():
        fitting = last_patterns[particles.template[row]]
        before = int(particles.before[row])
        may_end = any(before >> place & 1 and fitting[place] for place in range(len(fitting)))
        if may_end and len(found.prefixes) < MAX_PREFIXES:
            length = int(particles.length[row])
            found.prefixes.append(
                Prefix(
                    ids=tuple(particles.tokens[row, :length].tolist()),
                    num_given=found.num_given,
                    weight=float(particles.weight[row]),
                    logprob=float(particles.logprob[row]),
                    expected=float(particles.expected[row]),
                    node=int(particles.node[row]),
                    syllables=before,
                    template=int(particles.template[row]),
                    last_word=int(particles.last_word[row]),
                    cursor=Cursor(rows_of(state, [row]), int(ids[row])),
                )
            )
