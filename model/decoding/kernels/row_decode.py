"""Decode kernel: several steps of network and sampling for a few rows, in one call without a lock.

Shapes: R rows, T steps, V vocabulary, K alternatives. Knows nothing of text.
"""

import numpy as np
from numpy.typing import NDArray

from model.decoding.kernels.compiling import kernel
from model.decoding.kernels.int8_layers import Bytes, Floats, Ids, Int8Weights, output_logits, step
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
    width, size = len(weights.first[0]), len(weights.output)
    inputs, sums = np.empty(2 * width, np.int16), np.empty(len(weights.first), np.int32)
    output_sums, logits = np.empty(size, np.int32), np.empty(size, np.float32)
    for r in range(len(first)):
        token = first[r]
        top = hidden[r, hidden.shape[1] - width :]
        for t in range(len(ids)):
            step(weights, token, hidden[r], carried[r], inputs, sums)
            output_logits(weights, top, inputs[:width], output_sums, logits)
            is_finite = is_finite_row(logits)  # it is: weights that could overflow are not taken
            token = choose(logits, is_finite, rows, r)
            ids[t, r] = token
            if values.shape[2] > 0:
                own_logprobs(logits, is_finite, token, values[t, r], likeliest[t, r])
