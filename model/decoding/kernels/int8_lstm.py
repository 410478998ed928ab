"""Int8 LSTM kernels: quantized products, the gates' update of hidden and cell states, whole steps.

Hidden states lie in (-1, 1) and are held as the byte round(127 h) + 128; weights are integers of at
most 63 on either side of 0, with one scale a row. Sums of such products are exact, so they may come
from here or from any other exact product (`model.decoding.backends.integer_product`).

Shapes: R rows, L layers, H hidden width, V vocabulary, T steps. Knows nothing of sampling and text.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.decoding.kernels.compiling import kernel, part
from model.decoding.kernels.numerics import F32, F64, I32, rounded, sigmoid, tanh

ZERO = 128  # the byte of a hidden state of 0
# Of a weight, on either side of 0: CPUs without VNNI add pairs of products in 16 bits that
# saturate, and 2 x 255 x 127 is too much for them, 2 x 255 x 63 is not.
LEVELS = 63
_HIDDEN_LEVELS = F32(127.0)

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Sums = NDArray[np.int32] | NDArray[np.float32]  # the latter hold integers


class Int8Weights(NamedTuple):
    """Quantized weights of a stack of LSTM layers; gates in the order i, f, g, o."""

    table: Floats  # (V, 4H): the first layer's input product for each id, biases included
    first: NDArray[np.int8]  # (4H, H): recurrent
    rest: NDArray[np.int8]  # (L - 1, 4H, 2H): input from the layer below, then recurrent
    scale: Floats  # (L, 4H): of a sum, per unit
    bias: Floats  # (L, 4H); the first layer's is in the table
    output: NDArray[np.int8]  # (V, H)
    output_scale: Floats  # (V,)
    output_bias: Floats  # (V,)


@part
def product(weight: NDArray[np.int8], start: int, inputs: NDArray[np.int16], sums: Sums) -> None:
    """Integer product of one row, exact: sums (N,) of inputs (K,) and weight (N, start + K)."""
    for n in range(len(weight)):
        row = weight[n, start:]
        total = I32(0)
        for k in range(len(inputs)):
            total = I32(total + I32(row[k]) * I32(inputs[k]))
        sums[n] = total


@part
def update_row(sums: Sums, scale: Floats, bias: Floats, cell: Floats, hidden: Bytes) -> None:
    """LSTM update of one row's cell (H,) and hidden (H,) bytes, in place, from its sums (4H,).

    The equations stand in `model.network`. Sums may be int32, or float32 that holds integers.
    """
    width = len(cell)
    sums_i, sums_f = sums[:width], sums[width : 2 * width]
    sums_g, sums_o = sums[2 * width : 3 * width], sums[3 * width :]
    scale_i, scale_f = scale[:width], scale[width : 2 * width]
    scale_g, scale_o = scale[2 * width : 3 * width], scale[3 * width :]
    bias_i, bias_f = bias[:width], bias[width : 2 * width]
    bias_g, bias_o = bias[2 * width : 3 * width], bias[3 * width :]
    for j in range(width):
        i = sigmoid(F32(sums_i[j]) * scale_i[j] + bias_i[j])
        f = sigmoid(F32(sums_f[j]) * scale_f[j] + bias_f[j])
        g = tanh(F32(sums_g[j]) * scale_g[j] + bias_g[j])
        o = sigmoid(F32(sums_o[j]) * scale_o[j] + bias_o[j])
        c = f * cell[j] + i * g
        cell[j] = c
        hidden[j] = np.uint8(rounded(_HIDDEN_LEVELS * (o * tanh(c))) + I32(ZERO))


@kernel
def update_rows(
    sums: Sums,
    scale: Floats,
    biases: Floats,
    which: Ids,
    cell: Floats,
    hidden: Bytes,
    start: int,
    width: int,
) -> None:
    """LSTM update of R rows in place: units `start` to `start + width` of their states.

    sums: (R, 4H); biases[which[r]] are row r's; cell and hidden: (R, L x H).
    """
    for r in range(len(sums)):
        units = slice(start, start + width)
        update_row(sums[r], scale, biases[which[r]], cell[r, units], hidden[r, units])


@kernel
def input_table(embedding: Floats, weight: Floats, bias: Floats, table: Floats) -> None:
    """Input product of each id: table (V, N) of embedding (V, E), weight (E, N) and bias (N,).

    In float64, which holds each product exactly, and in the order of E.
    """
    sums = np.empty(len(bias), np.float64)
    for v in range(len(embedding)):
        for n in range(len(bias)):
            sums[n] = bias[n]
        for e in range(len(weight)):
            factor = F64(embedding[v, e])
            for n in range(len(bias)):
                sums[n] = sums[n] + factor * F64(weight[e, n])
        for n in range(len(bias)):
            table[v, n] = F32(sums[n])


@kernel
def scale_rows(sums: Sums, scale: Floats, bias: Floats, result: Floats) -> None:
    """Linear layer's output (R, N) of its sums (R, N), int32 or float32 that holds integers."""
    for r in range(len(sums)):
        scale_row(sums[r], scale, bias, result[r])


@part
def scale_row(sums: Sums, scale: Floats, bias: Floats, result: Floats) -> None:
    """Linear layer's output (N,) of one row's sums."""
    for n in range(len(sums)):
        result[n] = F32(sums[n]) * scale[n] + bias[n]


@part
def widen(hidden: Bytes, inputs: NDArray[np.int16]) -> None:
    """Copy hidden states' bytes to `inputs` as signed integers of 16 bits."""
    for k in range(len(hidden)):
        inputs[k] = np.int16(I32(hidden[k]) - I32(ZERO))


@part
def step(
    weights: Int8Weights,
    token: int,
    hidden: Bytes,
    cell: Floats,
    inputs: NDArray[np.int16],
    sums: Sums,
) -> None:
    """LSTM step of one row through all layers, by one id; its states (L x H,) move on in place.

    `inputs` (2H,) and `sums` (4H,) are working memory.
    """
    width = len(weights.first[0])
    widen(hidden[:width], inputs)
    product(weights.first, 0, inputs[:width], sums)
    update_row(sums, weights.scale[0], weights.table[token], cell[:width], hidden[:width])
    for layer in range(1, len(weights.scale)):
        start, end = layer * width, (layer + 1) * width
        widen(hidden[start - width : end], inputs)
        product(weights.rest[layer - 1], 0, inputs, sums)
        scale, bias = weights.scale[layer], weights.bias[layer]
        update_row(sums, scale, bias, cell[start:end], hidden[start:end])


@part
def output_logits(
    weights: Int8Weights, top: Bytes, inputs: NDArray[np.int16], sums: Sums, logits: Floats
) -> None:
    """Logits (V,) of one row's top layer (H,); `inputs` (H,) and `sums` (V,) are working memory."""
    widen(top, inputs)
    product(weights.output, 0, inputs, sums)
    scale_row(sums, weights.output_scale, weights.output_bias, logits)


@kernel
def run_layer(
    weight: NDArray[np.int8],
    below: Floats,
    scale: Floats,
    biases: Floats,
    which: Ids,
    cell: Floats,
    hidden: Bytes,
    seen: Bytes,
) -> None:
    """Run one layer over T steps of one row; its cell (H,) and hidden (H,) move on in place.

    weight: (4H, K), whose last H columns are the recurrent ones; below: (T, 4H) sums of what the
    layer gets from below, or (T, 0); biases[which[t]] are step t's. `seen` (T, H) gets the hidden
    state after each step.
    """
    width = len(cell)
    inputs, recurrent = np.empty(width, np.int16), np.empty(4 * width, np.int32)
    sums = np.empty(4 * width, np.float32)
    for t in range(len(which)):
        widen(hidden, inputs)
        product(weight, weight.shape[1] - width, inputs, recurrent)
        for n in range(4 * width):
            sums[n] = F32(recurrent[n])
        if below.shape[1] > 0:
            for n in range(4 * width):
                sums[n] = sums[n] + below[t, n]
        update_row(sums, scale, biases[which[t]], cell, hidden)
        for j in range(width):
            seen[t, j] = hidden[j]
