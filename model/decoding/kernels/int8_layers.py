"""Int8 kernels of recurrent layers (LSTM, GRU, RNN): gates and whole steps of quantized layers.

Hidden states lie in (-1, 1) and are held as the byte round(127 h) + 128; weights are integers of at
most 63 on either side of 0, with one scale a row. Sums of such products are exact, so they may come
from `byte_product` or from any other exact product (`model.decoding.backends.integer_product`);
they are held in float32, as whole numbers.

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

from model.decoding.kernels.byte_product import ZERO, Bytes, products
from model.decoding.kernels.compiling import kernel, part
from model.decoding.kernels.numerics import F32, I32, rounded, sigmoid, tanh

_HIDDEN_LEVELS = F32(127.0)
_ONE, _TWO = F32(1.0), F32(2.0)

LSTM, GRU, RNN = 0, 1, 2

Floats = NDArray[np.float32]
Integers = NDArray[np.int32]
Ids = NDArray[np.int64]


class Int8Weights(NamedTuple):
    """Quantized weights of a stack of recurrent layers of one cell."""

    cell: int  # LSTM, GRU or RNN
    table: Floats  # (V, GH): the first layer's input product for each id, biases included
    first: NDArray[np.int8]  # (GH, H): recurrent
    rest: NDArray[np.int8]  # (L - 1, GH, 2H): input from the layer below, then recurrent
    offset: Integers  # (L, GH): of a sum, see `byte_product.product`
    scale: Floats  # (L, GH): of a sum, per unit
    bias: Floats  # (L, GH); the first layer's is in the table
    output: NDArray[np.int8]  # (V, H)
    output_offset: Integers  # (V,)
    output_scale: Floats  # (V,)
    output_bias: Floats  # (V,)


@part
def byte_of(h: np.float32) -> np.uint8:
    """Byte of a hidden state h in (-1, 1)."""
    return np.uint8(rounded(_HIDDEN_LEVELS * h) + I32(ZERO))


@part
def activate(sums: Floats, scale: Floats, bias: Floats, factor: np.float32) -> None:
    """Turn a block of sums (H,) into a gate, in place: sigmoid by factor 1, tanh by factor 2.

    tanh(x) is 2 sigmoid(2 x) - 1, so one loop does for both.
    """
    for j in range(len(sums)):
        x = sums[j] * scale[j] + bias[j]
        sums[j] = factor * sigmoid(factor * x) - (factor - _ONE)


@part
def update_row(
    kind: int, sums: Floats, scale: Floats, bias: Floats, carried: Floats, hidden: Bytes
) -> None:
    """Update one row's carried numbers (H,) and hidden bytes (H,), in place, from sums (GH,).

    The equations of an LSTM stand in `model.network`; those of a GRU are torch's (Cho et al. 2014,
    with the reset gate behind the product). `sums` is overwritten.
    """
    width = len(hidden)
    for block in range(4 if kind == LSTM else 2 if kind == GRU else 1):
        is_tanh = kind == RNN or (kind == LSTM and block == 2)
        part = slice(block * width, (block + 1) * width)
        activate(sums[part], scale[part], bias[part], _TWO if is_tanh else _ONE)
    if kind == LSTM:
        update_lstm(sums, carried, hidden)
    elif kind == GRU:
        update_gru(sums, scale, bias, carried, hidden)
    else:
        for j in range(width):
            hidden[j] = byte_of(sums[j])


@part
def update_lstm(gates: Floats, cell: Floats, hidden: Bytes) -> None:
    """LSTM update of one row's cell (H,) and hidden bytes (H,) by its gates (4H,)."""
    width = len(hidden)
    i, f = gates[:width], gates[width : 2 * width]
    g, o = gates[2 * width : 3 * width], gates[3 * width :]
    for j in range(width):
        c = f[j] * cell[j] + i[j] * g[j]
        cell[j] = c
        hidden[j] = byte_of(o[j] * tanh(c))


@part
def update_gru(sums: Floats, scale: Floats, bias: Floats, exact: Floats, hidden: Bytes) -> None:
    """GRU update of one row's hidden state, in float32 (H,) and as bytes (H,).

    sums: (4H,), the first two blocks of which are gates already.
    """
    width = len(hidden)
    r, z = sums[:width], sums[width : 2 * width]
    for j in range(width):
        new, own = 2 * width + j, 3 * width + j
        n = tanh(sums[new] * scale[new] + bias[new] + r[j] * (sums[own] * scale[own] + bias[own]))
        h = n + z[j] * (exact[j] - n)
        exact[j] = h
        hidden[j] = byte_of(h)


@kernel
def update_rows(
    kind: int,
    sums: Floats,
    scale: Floats,
    biases: Floats,
    which: Ids,
    carried: Floats,
    hidden: Bytes,
    start: int,
    width: int,
) -> None:
    """Update of R rows in place: units `start` to `start + width` of their states.

    sums: (R, GH), overwritten; biases[which[r]] are row r's; carried and hidden: (R, L x H).
    """
    units = slice(start, start + width)
    for r in range(len(sums)):
        bias = biases[which[r]]
        update_row(kind, sums[r], scale, bias, carried[r, units], hidden[r, units])


@kernel
def scale_rows(sums: Floats, scale: Floats, bias: Floats) -> None:
    """Turn sums (R, N) into a linear layer's output, in place."""
    for r in range(len(sums)):
        for n in range(len(scale)):
            sums[r, n] = sums[r, n] * scale[n] + bias[n]


@part
def step(weights: Int8Weights, ids: Ids, hidden: Bytes, carried: Floats, sums: Floats) -> None:
    """Step of R rows through all layers, by one id (R,) each; states (R, L x H) move on in place.

    `sums` (R, GH) is working memory.
    """
    width, kind, same = len(weights.first[0]), weights.cell, np.empty_like(ids)
    for layer in range(len(weights.scale)):
        start, scale, offset = layer * width, weights.scale[layer], weights.offset[layer]
        if layer == 0:
            products(weights.first, hidden, start, width, offset, sums)
            update_rows(kind, sums, scale, weights.table, ids, carried, hidden, start, width)
        else:
            weight = weights.rest[layer - 1]
            products(weight, hidden, start - width, 2 * width, offset, sums)
            same[:] = layer
            update_rows(kind, sums, scale, weights.bias, same, carried, hidden, start, width)


@kernel
def run_layer(
    kind: int,
    weight: NDArray[np.int8],
    offset: Integers,
    below: Floats,
    scale: Floats,
    biases: Floats,
    which: Ids,
    carried: Floats,
    hidden: Bytes,
    start: int,
    seen: Bytes,
) -> None:
    """Run one layer over T steps of one row; its units from `start` on move on in place.

    weight: (GH, K), whose last H columns are the recurrent ones, with their offset; below: (T, GH)
    sums of what the layer gets from below, or (T, 0); biases[which[t]] are step t's. carried and
    hidden: (1, L x H). `seen` (T, H) gets the layer's hidden state after each step.
    """
    outputs, width = len(weight), seen.shape[1]
    sums = np.empty((1, outputs), np.float32)
    for t in range(len(which)):
        products(weight, hidden, start, width, offset, sums)
        if below.shape[1] > 0:
            for n in range(outputs):
                sums[0, n] = sums[0, n] + below[t, n]
        own = which[t : t + 1]
        update_rows(kind, sums, scale, biases, own, carried, hidden, start, width)
        for j in range(width):
            seen[t, j] = hidden[0, start + j]
