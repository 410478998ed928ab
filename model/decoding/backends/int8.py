"""Int8 backend: stacked LSTM, GRU or RNN on a CPU, weights and hidden states quantized to 8 bits.

The fast one, and the one whose texts are the same on every CPU: its sums are exact, and all else is
IEEE arithmetic in a fixed order (`model.decoding.kernels`). The first layer's input product is a
table, the row of the id. Few rows are stepped and sampled by a kernel in one call; many rows share
the products of a library (`integer_product`), with kernels between. A prompt that is fed alone
runs layer by layer: what a layer gets from below is one product for all of its ids, and only what
it gets from itself is step by step.

Shapes: R rows, L layers, H hidden width, V vocabulary, T steps. Knows nothing of sampling and text.
"""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model.config import Cell
from model.decoding.backends.base import Backend
from model.decoding.backends.integer_product import EXACT_BELOW, IntegerProduct
from model.decoding.kernels.byte_product import ZERO, offset_of
from model.decoding.kernels.int8_layers import (
    GRU,
    LSTM,
    RNN,
    Int8Weights,
    run_layer,
    scale_rows,
    update_rows,
)
from model.network import Network
from model.quantization import LEVELS, integers, row_scales

TABLE_ROWS = 64  # made at a time, so that they stay in the cache

CELLS: dict[Cell, int] = {"lstm": LSTM, "gru": GRU, "rnn": RNN}


class Int8Backend(Backend):
    """Backend of quantized int8 arithmetic with exact sums, for plain stacks of layers on a CPU.

    State: hidden (R, L x H) bytes, and what units carry beside them (R, L x H) float32.
    """

    def __init__(self, network: Network) -> None:
        """`network` must be a plain stack on a CPU, and `why_not_exact` must find nothing."""
        self.weights = weights = quantized(network)
        self._num_layers, self._width = network.config.num_layers, network.config.hidden_size
        self._layers = [IntegerProduct(torch.from_numpy(weights.first))]
        self._inputs: list[IntegerProduct] = []
        for layer in torch.from_numpy(weights.rest):
            self._layers.append(IntegerProduct(layer))
            self._inputs.append(IntegerProduct(layer[:, : self._width].contiguous()))
        self._output = IntegerProduct(torch.from_numpy(weights.output))
        recurrent = (layer[:, self._width :] for layer in weights.rest)
        self._recurrent_offsets = [offset_of(each) for each in (weights.first, *recurrent)]

    def zero_state(self, rows: int) -> list[Tensor]:
        """Zero state, that before any text, for `rows` rows."""
        width = self._num_layers * self._width
        return [torch.full((rows, width), ZERO, dtype=torch.uint8), torch.zeros(rows, width)]

    def step(self, ids: Tensor, state: list[Tensor]) -> Tensor:
        """Logits (R, V) after one more id (R,) int64 a row; `state` moves on in place."""
        self._advance(ids.numpy(), state)
        return self.logits(self._top(state))

    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> Tensor:
        """Read the first lengths[r] of ids[r] into each row; longest first. ids: (R, T) int64.

        Returns the top layer's bytes after each id (R, T, H).
        """
        if len(lengths) == 1:
            return self._feed_one(ids[0, : lengths[0]], state)
        seen = torch.empty(len(lengths), lengths[0], self._width, dtype=torch.uint8)
        columns = ids.t().contiguous().numpy()
        active = len(lengths)
        for step in range(lengths[0]):
            while lengths[active - 1] <= step:
                active -= 1
            rows = [part[:active] for part in state]
            self._advance(columns[step, :active], rows)
            seen[:active, step] = self._top(rows)
        return seen

    def logits(self, seen: Tensor) -> Tensor:
        """Logits (N, V) of the top layer's bytes (N, H)."""
        logits = self._output(seen)
        scale_rows(logits.numpy(), self.weights.output_scale, self.weights.output_bias)
        return logits

    def _top(self, state: list[Tensor]) -> Tensor:
        return state[0][:, (self._num_layers - 1) * self._width :]

    def _advance(self, ids: NDArray[np.int64], state: list[Tensor]) -> None:
        """Step all layers by one id a row, without the logits; `state` moves on in place."""
        width, weights = self._width, self.weights
        hidden, carried = state[0].numpy(), state[1].numpy()
        biases, which = weights.table, ids
        for index, product in enumerate(self._layers):
            start = index * width
            sums = product(state[0][:, max(0, start - width) : start + width]).numpy()
            if index > 0:
                biases, which = weights.bias, _same(index, len(ids))
            update_rows(
                *(weights.cell, sums, weights.scale[index], biases, which),
                *(carried, hidden, start, width),
            )

    def _feed_one(self, ids: Tensor, state: list[Tensor]) -> Tensor:
        """Read ids (T,) into the one row of `state`, layer by layer; see `feed`."""
        weights, width = self.weights, self._width
        hidden, carried = state[0].numpy(), state[1].numpy()
        seen = torch.empty(len(ids), width, dtype=torch.uint8)
        below = np.zeros((len(ids), 0), np.float32)
        recurrent, biases, which = weights.first, weights.table, ids.contiguous().numpy()
        for index in range(self._num_layers):
            if index > 0:
                below = self._inputs[index - 1](seen).numpy()
                recurrent, biases = weights.rest[index - 1], weights.bias
                which = _same(index, len(ids))
            offset = self._recurrent_offsets[index]
            run_layer(
                *(weights.cell, recurrent, offset, below, weights.scale[index], biases, which),
                *(carried, hidden, index * width, seen.numpy()),
            )
        return seen[None]


@cache
def _same(value: int, count: int) -> NDArray[np.int64]:
    return np.full(count, value, np.int64)


def quantized(network: Network) -> Int8Weights:
    """Quantize a plain stack's weights: integers, and one scale a row."""
    table, scales, biases, matrices = np.zeros(0, np.float32), [], [], []
    for index, layer in enumerate(network.layers):
        inputs, recurrent, bias = _blocks(network.config.cell, layer)
        if index == 0:
            embedding = network.embedding.weight.detach().float()
            table = input_table(embedding, inputs, bias)
            matrix, scale = quantize(recurrent)
        else:
            matrix, scale = quantize(torch.cat([inputs, recurrent], dim=1))
        matrices.append(matrix)
        scales.append(scale)
        biases.append(bias.numpy())
    output, output_scale = quantize(network.output.weight.detach().float())
    first, *rest = matrices
    return Int8Weights(
        cell=CELLS[network.config.cell],
        table=table,
        first=first,
        rest=np.stack(rest) if rest else np.zeros((0, len(first), 2 * first.shape[1]), np.int8),
        offset=np.stack([offset_of(matrix) for matrix in matrices]),
        scale=np.stack(scales),
        bias=np.stack(biases),
        output=output,
        output_offset=offset_of(output),
        output_scale=output_scale,
        output_bias=network.output.bias.detach().float().numpy().copy(),
    )


def _blocks(cell: Cell, layer: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """Input weights (GH, E), recurrent weights (GH, H) and bias (GH,), in the kernels' blocks."""
    inputs, recurrent, input_bias, recurrent_bias = (
        weight.detach().float() for weight in layer.parameters()
    )
    if cell != "gru":
        return inputs, recurrent, input_bias + recurrent_bias
    r, z, n = recurrent_bias.chunk(3)
    bias = torch.cat([input_bias + torch.cat([r, z, torch.zeros_like(n)]), n])
    width = recurrent.shape[1]
    return (
        functional.pad(inputs, (0, 0, 0, width)),
        torch.cat([recurrent[: 2 * width], torch.zeros(width, width), recurrent[2 * width :]]),
        bias,
    )


def input_table(embedding: Tensor, weight: Tensor, bias: Tensor) -> NDArray[np.float32]:
    """Input product (V, N) of each id, from embedding (V, E), weight (N, E) and bias (N,).

    In float64, which holds each product exactly, so that it is the same whether a CPU adds it in
    one instruction or two; and in the order of E.
    """
    columns = weight.double().t().contiguous()
    table = np.empty((len(embedding), len(bias)), np.float32)
    for rows in np.array_split(np.arange(len(embedding)), 1 + len(embedding) // TABLE_ROWS):
        sums = bias.double().repeat(len(rows), 1)
        factors = embedding[rows].double().t().contiguous()
        for factor, column in zip(factors, columns, strict=True):
            sums.addcmul_(factor[:, None], column)
        table[rows] = sums.numpy()
    return table


def quantize(weight: Tensor) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Round a weight (N, K) to integers of at most LEVELS, row by row; second, a sum's scales (N,).

    A sum's scale takes it back to float32: the row's, times that of a hidden state's byte.
    """
    scales = row_scales(weight)
    return integers(weight, scales).numpy(), (scales / 127).numpy()


def table_bytes(network: Network) -> int:
    """Memory of the first layer's input table, in bytes."""
    return network.config.vocab_size * 4 * network.config.hidden_size * 4


def why_not_exact(network: Network) -> str | None:
    """Reason why a network's numbers could overflow or its sums be inexact; None if they cannot.

    Hidden states lie in (-1, 1), so no sum is larger than that of its weights' sizes; and a cell
    state grows by at most 1 a step. So the backend's logits are always finite.
    """
    weights = dict(network.named_parameters())
    largest = sum(float(weight.detach().abs().double().sum()) for weight in weights.values())
    widest = float(network.embedding.weight.detach().abs().double().max())
    if not largest * max(1.0, widest) < torch.finfo(torch.float32).max / 2:
        return "its weights are so large that sums may overflow"
    if network.config.hidden_size * 2 * LEVELS * 127 < EXACT_BELOW:
        return None
    matrices = [matrix for matrix in weights.values() if matrix.dim() == 2]
    sums = (np.abs(quantize(each.detach().float())[0].astype(np.int64)).sum(1) for each in matrices)
    if 2 * 127 * max(int(each.max()) for each in sums) >= EXACT_BELOW:
        return "its layers are so wide that sums may not be exact"
    return None
