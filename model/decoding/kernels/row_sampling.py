"""Sampling kernels: the next id of a row of logits, and log probabilities, in float64.

The same rules as `model.decoding.sampling`, which says what they mean and does them for a GPU, one
row at a time and only what that row asks for, with exponentials and logarithms whose bits are the
same on every CPU.

Shapes: R rows, V vocabulary, K alternatives. Knows nothing of networks, text or stopping.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.decoding.kernels.compiling import kernel, part
from model.decoding.kernels.numerics import F64, I64, exp, log
from model.decoding.kernels.score_changes import lift_ends, penalise
from model.decoding.sampling import FIRST, GOLDEN, SECOND
from model.tokenizer import BOS_ID

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]
Rows = Any  # SamplingRows whose columns are arrays

_U64 = np.uint64
_GOLDEN, _FIRST, _SECOND = _U64(GOLDEN), _U64(FIRST), _U64(SECOND)
_TINY = 1e-300


@part
def splitmix64(x: np.uint64) -> np.uint64:
    """SplitMix64's finaliser: 64 bits that look random, of 64 bits that may not."""
    x = x + _GOLDEN
    x = (x ^ (x >> _U64(30))) * _FIRST
    x = (x ^ (x >> _U64(27))) * _SECOND
    return x ^ (x >> _U64(31))


@part
def uniform(seed: int, position: int) -> float:
    """Random number in [0, 1) of (seed, position); see `model.decoding.sampling.uniform`."""
    mixed = splitmix64(splitmix64(_U64(seed)) ^ (_U64(position) * _GOLDEN))
    return F64(mixed >> _U64(11)) * 2.0**-53


@part
def is_finite_row(logits: NDArray[np.float32]) -> bool:
    """Check whether all logits (V,) are finite numbers."""
    for each in logits:  # noqa: SIM110 - numba has no all()
        if not np.isfinite(each):
            return False
    return True


@part
def sift_down(heap: Ids, keys: Floats, root: int | I64, size: int) -> None:
    """Restore a binary heap of ids below `root`; the largest key is on top, then the lowest id."""
    moved = heap[root]
    while 2 * root + 1 < size:
        child = 2 * root + 1
        if child + 1 < size and _is_before(heap[child + 1], heap[child], keys):
            child += 1
        if not _is_before(heap[child], moved, keys):
            break
        heap[root] = heap[child]
        root = child
    heap[root] = moved


@part
def _is_before(a: int, b: int, keys: Floats) -> bool:
    return keys[a] > keys[b] or (keys[a] == keys[b] and a < b)


@part
def keep_first(probs: Floats, keys: Floats, most: float, share: float) -> None:
    """Keep the first ids by falling key, and make all others 0, in place.

    They are at most `most`, and the fewest that together have `share` of the sum; one at least.
    """
    size = len(probs)
    heap, kept = np.empty(size, np.int64), np.zeros(size, np.float64)
    total = 0.0
    for token in range(size):
        heap[token] = token
        total = total + probs[token]
    for root in range(size // 2 - 1, -1, -1):
        sift_down(heap, keys, root, size)
    cumulative, rank = 0.0, 0
    # The first is kept by name: a tiny share of a total may round to 0.
    while rank < size and rank < most and (rank == 0 or cumulative < share * total):
        token = heap[0]
        kept[token] = probs[token]
        cumulative = cumulative + probs[token]
        rank += 1
        heap[0] = heap[size - rank]
        sift_down(heap, keys, I64(0), size - rank)  # a literal would be compiled by itself
    for token in range(size):
        probs[token] = kept[token]


@part
def filter_row(probs: Floats, top_k: float, top_p: float, min_p: float, typical_p: float) -> None:
    """Filter probs (V,), normalised or not, by top-k, top-p, min-p and typical, in place."""
    if top_k < len(probs):
        keep_first(probs, probs, top_k, np.inf)
    if top_p != 1.0:
        keep_first(probs, probs, np.inf, top_p)
    if min_p != 0.0:
        keep_probable(probs, min_p)
    if typical_p != 1.0:
        keep_typical(probs, typical_p)


@part
def keep_probable(probs: Floats, min_p: float) -> None:
    """Min-p filter: drop what has less than `min_p` of the likeliest id's probability."""
    largest = 0.0
    for each in probs:
        largest = max(largest, each)
    for token in range(len(probs)):
        if probs[token] < min_p * largest:
            probs[token] = 0.0


@part
def keep_typical(probs: Floats, typical_p: float) -> None:
    """Typical filter: keep the ids whose surprisal is nearest to the row's entropy."""
    total, entropy = 0.0, 0.0
    for each in probs:
        total = total + each
    keys = np.empty(len(probs), np.float64)
    for token in range(len(probs)):
        share = probs[token] / total
        keys[token] = -log(max(share, _TINY))
        entropy = entropy + share * keys[token]
    for token in range(len(probs)):
        keys[token] = -abs(keys[token] - entropy) if probs[token] > 0.0 else -np.inf
    keep_first(probs, keys, np.inf, typical_p)


@part
def inverse_cdf(probs: Floats, uniform_number: float) -> int:
    """Draw an id by the inverse distribution function; `probs` (V,) need not sum to 1."""
    total = 0.0
    for each in probs:
        total = total + each
    # Rounding may lift u * total to the total itself, past the last id.
    below = I64(F64(total).view(np.int64) - I64(1)).view(np.float64)
    target = min(uniform_number * total, below)
    cumulative = 0.0
    for token in range(len(probs)):
        cumulative = cumulative + probs[token]
        if cumulative > target:
            return token
    return 0  # not reached: the total is above the target


@part
def choose(logits: NDArray[np.float32], is_finite: bool, rows: Rows, r: int) -> int:
    """Sample row r's next id from its logits (V,), and move the row on by one."""
    scores = np.empty(len(logits), np.float64)
    for token in range(len(logits)):
        scores[token] = (F64(logits[token]) if is_finite else 0.0) + rows.bias[r, token]
    if rows.position[r] < rows.min_tokens[r]:
        scores[BOS_ID] = -np.inf
    repetition, frequency = rows.repetition[r, 0], rows.frequency[r, 0]
    presence, window = rows.presence[r, 0], rows.window[r]
    is_penalised = repetition != 1.0 or frequency != 0.0 or presence != 0.0
    if is_penalised:
        penalise(scores, rows.recent[r, :window], repetition, frequency, presence)
    since = rows.position[r] - rows.soft_end[r]
    if since >= 0:
        lift_ends(scores, rows.breaks[r], rows.latest[r], since, rows.temperature[r, 0])
    likeliest = 0
    for token in range(1, len(scores)):
        if scores[token] > scores[likeliest]:  # the lowest id wins a tie
            likeliest = token
    chosen = likeliest
    if not rows.is_greedy[r]:
        highest, temperature = scores[likeliest], rows.temperature[r, 0]
        # Not normalised: what follows compares shares of a row's sum.
        for token in range(len(scores)):
            scores[token] = exp((scores[token] - highest) / temperature)
        filter_row(
            scores, rows.top_k[r, 0], rows.top_p[r, 0], rows.min_p[r, 0], rows.typical_p[r, 0]
        )
        chosen = inverse_cdf(scores, uniform(rows.seed[r], rows.position[r]))
    if is_penalised:
        rows.recent[r, rows.written[r] % window] = chosen
        rows.written[r] += 1
    rows.latest[r] = chosen
    rows.position[r] += 1
    return chosen


@part
def own_logprobs(
    logits: NDArray[np.float32], is_finite: bool, chosen: int, values: Floats, likeliest: Ids
) -> None:
    """Log probabilities of `chosen` and of the K likeliest ids, before any sampling parameter.

    Writes values (1 + K,) and likeliest (K,), the likeliest first; the lowest id wins a tie.
    """
    highest = -np.inf
    for each in logits:
        highest = max(highest, F64(each) if is_finite else 0.0)
    total = 0.0
    for each in logits:
        total = total + exp((F64(each) if is_finite else 0.0) - highest)
    norm = log(total)
    values[0] = (F64(logits[chosen]) if is_finite else 0.0) - highest - norm
    found = 0
    for token in range(len(logits)):
        value = (F64(logits[token]) if is_finite else 0.0) - highest - norm
        if found == len(likeliest) and (found == 0 or not value > values[found]):
            continue
        place = min(found, len(likeliest) - 1)
        while place > 0 and value > values[place]:
            values[place + 1] = values[place]
            likeliest[place] = likeliest[place - 1]
            place -= 1
        values[place + 1] = value
        likeliest[place] = token
        found = min(found + 1, len(likeliest))


@kernel
def choose_rows(
    logits: NDArray[np.float32],
    rows: Rows,
    ids: Ids,
    finite: NDArray[np.bool_],
    values: Floats,
    likeliest: Ids,
) -> None:
    """Sample the next id of R rows from logits (R, V), and move the rows on by one.

    Writes ids (R,), finite (R,), and values (R, 1 + K) and likeliest (R, K), or values (R, 0) where
    log probabilities are not wanted.
    """
    for r in range(len(logits)):
        finite[r] = is_finite_row(logits[r])
        ids[r] = choose(logits[r], finite[r], rows, r)
        if values.shape[1] > 0:
            own_logprobs(logits[r], finite[r], ids[r], values[r], likeliest[r])


@kernel
def score_rows(
    logits: NDArray[np.float32],
    following: Ids,
    finite: NDArray[np.bool_],
    values: Floats,
    likeliest: Ids,
) -> None:
    """Log probabilities of given ids (N,) at N places, from their logits (N, V).

    Writes finite (N,), values (N, 1 + K) and likeliest (N, K).
    """
    for n in range(len(logits)):
        finite[n] = is_finite_row(logits[n])
        own_logprobs(logits[n], finite[n], following[n], values[n], likeliest[n])
