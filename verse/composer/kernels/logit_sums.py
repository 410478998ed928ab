"""Parts of kernels that sum over a row of logits: highest, logarithm of the total, expectation.

In one order, by exponentials of our own. Knows nothing of particles and words.

Shapes: V vocabulary.
"""

import numpy as np
from numpy.typing import NDArray

from model.decoding.kernels.compiling import part
from model.decoding.kernels.numerics import exp, log

Logits = NDArray[np.float32]


@part
def highest_of(logits: Logits) -> float:
    """Highest of logits (V,)."""
    highest = np.float64(logits[0])
    for logit in logits:
        highest = max(highest, np.float64(logit))
    return highest


@part
def log_total(logits: Logits, highest: float, temperature: float) -> float:
    """Logarithm of the sum of e^((logit - highest) / temperature)."""
    total = 0.0
    for logit in logits:
        total += exp((np.float64(logit) - highest) / temperature)
    return log(total)


@part
def expected_logprob(
    logits: Logits, highest: float, total: float, heated: float, t: float
) -> float:
    """Mean log probability of what would be sampled at temperature t, by the model as it is.

    `total` and `heated` are `log_total` at temperature 1 and t.
    """
    mean = 0.0
    for logit in logits:
        shifted = np.float64(logit) - highest
        mean += exp(shifted / t - heated) * (shifted - total)
    return mean
