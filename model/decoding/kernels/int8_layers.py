"""Int8 kernels of recurrent layers (LSTM, GRU, RNN): quantized products, gates, whole steps.

Hidden states lie in (-1, 1) and are held as the byte round(127 h) + 128; weights are integers of at
most 63 on either side of 0, with one scale a row. Sums of such products are exact, so they may come
from here or from any other exact product (`model.decoding.backends.integer_product`).

Beside the bytes each unit carries a float32: the cell state of an LSTM, and of a GRU the hidden
state itself, since it is added to; an RNN carries none. The blocks of H rows that a layer's weights
have are

    lstm   i, f, g, o
    gru    r, z, n from the input, n from the hidden state: the last two are kept apart, since r
           stands between them, so each has zeros where the other has weights
    rnn    one

Shapes: R rows, L layers, H hidden width, G blocks, V vocabulary, T steps. Knows nothing of sampling
and text.
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

LSTM, GRU, RNN = 0, 1, 2

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Sums = NDArray[np.int32] | NDArray[np.float32]  # the latter hold integers


class Int8Weights(NamedTuple):
    """Quantized weights of a stack of recurrent layers of one cell."""

    cell: int  # LSTM, GRU or RNN
    table: Floats  # (V, G, H): the first layer's input product for each id, biases included
    first: NDArray[np.int8]  # (GH, H): recurrent
    rest: NDArray[np.int8]  # (L - 1, GH, 2H): input from the layer below, then recurrent
    scale: Floats  # (L, G, H): of a sum, per unit
    bias: Floats  # (L, G, H); the first layer's is in the table
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
def byte_of(h: np.float32) -> np.uint8:
    """Byte of a hidden state h in (-1, 1)."""
    return np.uint8(rounded(_HIDDEN_LEVELS * h) + I32(ZERO))


@part
def update_row(
    kind: int, sums: Sums, scale: Floats, bias: Floats, carried: Floats, hidden: Bytes
) -> None:
    """Update one row's carried numbers (H,) and hidden bytes (H,), in place, from its sums (G, H).

    The equations of an LSTM stand in `model.network`; those of a GRU are torch's (Cho et al. 2014,
    with the reset gate behind the product). Sums may be int32, or float32 that holds integers.
    """
    if kind == LSTM:
        update_lstm(sums, scale, bias, carried, hidden)
    elif kind == GRU:
        update_gru(sums, scale, bias, carried, hidden)
    else:
        for j in range(len(hidden)):
            hidden[j] = byte_of(tanh(F32(sums[0, j]) * scale[0, j] + bias[0, j]))


@part
def update_lstm(sums: Sums, scale: Floats, bias: Floats, cell: Floats, hidden: Bytes) -> None:
    """LSTM update of one row's cell (H,) and hidden (H,) bytes."""
    for j in range(len(cell)):
        i = sigmoid(F32(sums[0, j]) * scale[0, j] + bias[0, j])
        f = sigmoid(F32(sums[1, j]) * scale[1, j] + bias[1, j])
        g = tanh(F32(sums[2, j]) * scale[2, j] + bias[2, j])
        o = sigmoid(F32(sums[3, j]) * scale[3, j] + bias[3, j])
        c = f * cell[j] + i * g
        cell[j] = c
        hidden[j] = byte_of(o * tanh(c))


@part
def update_gru(sums: Sums, scale: Floats, bias: Floats, exact: Floats, hidden: Bytes) -> None:
    """GRU update of one row's hidden state, in float32 (H,) and as bytes (H,)."""
    for j in range(len(exact)):
        r = sigmoid(F32(sums[0, j]) * scale[0, j] + bias[0, j])
        z = sigmoid(F32(sums[1, j]) * scale[1, j] + bias[1, j])
        own = F32(sums[3, j]) * scale[3, j] + bias[3, j]
        n = tanh(F32(sums[2, j]) * scale[2, j] + bias[2, j] + r * own)
        h = n + z * (exact[j] - n)
        exact[j] = h
        hidden[j] = byte_of(h)


@kernel
def update_rows(
    kind: int,
    sums: Sums,
    scale: Floats,
    biases: Floats,
    which: Ids,
    carried: Floats,
    hidden: Bytes,
    start: int,
    width: int,
) -> None:
    """Update of R rows in place: units `start` to `start + width` of their states.

    sums: (R, G, H); biases[which[r]] are row r's; carried and hidden: (R, L x H).
    """
    for r in range(len(sums)):
        units = slice(start, start + width)
        update_row(kind, sums[r], scale, biases[which[r]], carried[r, units], hidden[r, units])


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
    carried: Floats,
    inputs: NDArray[np.int16],
    sums: Sums,
) -> None:
    """Step of one row through all layers, by one id; its states (L x H,) move on in place.

    `inputs` (2H,) and `sums` (GH,) are working memory.
    """
    width = len(weights.first[0])
    blocks = sums.reshape(weights.scale[0].shape)
    widen(hidden[:width], inputs)
    product(weights.first, 0, inputs[:width], sums)
    first, table = weights.scale[0], weights.table[token]
    update_row(weights.cell, blocks, first, table, carried[:width], hidden[:width])
    for layer in range(1, len(weights.scale)):
        start, end = layer * width, (layer + 1) * width
        widen(hidden[start - width : end], inputs)
        product(weights.rest[layer - 1], 0, inputs, sums)
        scale, bias = weights.scale[layer], weights.bias[layer]
        update_row(weights.cell, blocks, scale, bias, carried[start:end], hidden[start:end])


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
    kind: int,
    weight: NDArray[np.int8],
    below: Floats,
    scale: Floats,
    biases: Floats,
    which: Ids,
    carried: Floats,
    hidden: Bytes,
    seen: Bytes,
) -> None:
    """Run one layer over T steps of one row; its carried (H,) and hidden (H,) move on in place.

    weight: (GH, K), whose last H columns are the recurrent ones; below: (T, GH) sums of what the
    layer gets from below, or (T, 0); biases[which[t]] are step t's. `seen` (T, H) gets the hidden
    state after each step.
    """
    width, outputs = len(carried), len(weight)
    inputs, recurrent = np.empty(width, np.int16), np.empty(outputs, np.int32)
    sums = np.empty(scale.shape, np.float32)
    flat = sums.reshape(outputs)
    for t in range(len(which)):
        widen(hidden, inputs)
        product(weight, weight.shape[1] - width, inputs, recurrent)
        for n in range(outputs):
            flat[n] = F32(recurrent[n])
        if below.shape[1] > 0:
            for n in range(outputs):
                flat[n] = flat[n] + below[t, n]
        update_row(kind, sums, scale, biases[which[t]], carried, hidden)
        for j in range(width):
            seen[t, j] = hidden[j]
