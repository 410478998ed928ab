"""Kernels of completion: a level of last words one letter on, and log probabilities of some ids.

Shapes: R rows, V vocabulary, M nodes. Knows nothing of prefixes and words.
"""

import numpy as np

from model.decoding.kernels.compiling import kernel
from verse.composer.kernels.arrays import Bits, Flags, Floats, Places
from verse.composer.kernels.logit_sums import Logits, expected_logprob, highest_of, log_total


@kernel
def expand(
    logits: Logits,
    token: Places,
    first_child: Places,
    next_sibling: Places,
    below: Bits,
    node: Places,
    fitting: Bits,
    weight: Floats,
    logprob: Floats,
    is_start: Flags,
    openings: Places,
    temperature: float,
    rows: Places,
    nodes: Places,
    weights: Floats,
    logprobs: Floats,
) -> int:
    """Write every row that is one letter on, with its weight and log probability; how many."""
    count = 0
    for r in range(len(logits)):
        highest = highest_of(logits[r])
        total = log_total(logits[r], highest, 1.0)
        heated = log_total(logits[r], highest, temperature)
        child = first_child[node[r]]
        while child >= 0:
            begins = len(openings) == 0 or not is_start[r]
            for each in openings:
                begins = begins or each == token[child]
            if below[child] & fitting[r] and begins:
                shifted = np.float64(logits[r, token[child]]) - highest
                rows[count], nodes[count] = r, child
                weights[count] = weight[r] + shifted / temperature - heated
                logprobs[count] = logprob[r] + shifted - total
                count += 1
            child = next_sibling[child]
    return count


@kernel
def expect(logits: Logits, temperature: float, values: Floats) -> None:
    """Write for each row of logits (R, V) the mean log probability of what would be drawn from it.

    It is drawn at the temperature and scored by the model as it is.
    """
    for r in range(len(logits)):
        highest = highest_of(logits[r])
        total = log_total(logits[r], highest, 1.0)
        heated = log_total(logits[r], highest, temperature)
        values[r] = expected_logprob(logits[r], highest, total, heated, temperature)


@kernel
def score(logits: Logits, ids: Places, temperature: float, values: Floats) -> None:
    """Write the log probabilities of ids (K,) at a temperature, by logits (V,)."""
    highest = highest_of(logits)
    total = log_total(logits, highest, temperature)
    for k in range(len(ids)):
        values[k] = (np.float64(logits[ids[k]]) - highest) / temperature - total


@kernel
def score_any(logits: Logits, ids: Places) -> float:
    """Log probability that one of some ids (K,) comes next, by logits (V,)."""
    highest = highest_of(logits)
    return log_total(logits[ids], highest, 1.0) - log_total(logits, highest, 1.0)
