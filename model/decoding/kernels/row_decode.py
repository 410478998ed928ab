"""Decode kernel: several steps of network and sampling for a few rows, in one call.
It holds no Python lock, and reads the weights once a step.

Shapes: R rows, T steps, V vocabulary, K alternatives. Knows nothing of text.
"""

import numpy as np
from numpy.typing import NDArray

from model.decoding.kernels.byte_product import Bytes, products
from model.decoding.kernels.compiling import kernel
from model.decoding.kernels.int8_layers import (
    Floats,
    Ids,
    Int8Weights,
    scale_rows,
    step,
)
from model.decoding.kernels.row_sampling import Rows, choose, is_finite_row, own_logprobs


@kernel
def decode(
    weights: Int8Weights,
    first: Ids,
    hidden: Bytes,
    carried: Floats,
    rows: Rows,
    ids: Ids,
    values: NDArray[np.float64],
    likeliest: Ids,
) -> None:
    """Choose T ids a row after `first` (R,); states and sampling rows move on in place.

    Writes ids (T, R), and values (T, R, 1 + K) and likeliest (T, R, K), or values (T, R, 0) where
    log probabilities are not wanted.
    """
    count, size, top = len(first), len(weights.output), hidden.shape[1] - len(weights.first[0])
    sums = np.empty((count, len(weights.first)), np.float32)
    logits = np.empty((count, size), np.float32)
    latest = first
    for t in range(len(ids)):
        step(weights, latest, hidden, carried, sums)
        width = hidden.shape[1] - top
        products(weights.output, hidden, top, width, weights.output_offset, logits)
        scale_rows(logits, weights.output_scale, weights.output_bias)
        latest = ids[t]
        for r in range(count):
            is_finite = is_finite_row(logits[r])  # it is: see `int8.why_not_exact`
            latest[r] = choose(logits[r], is_finite, rows, r)
            if values.shape[2] > 0:
                own_logprobs(logits[r], is_finite, latest[r], values[t, r], likeliest[t, r])
