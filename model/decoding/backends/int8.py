"""Int8 backend: stacked LSTMs on a CPU with 8-bit quantization of weights and hidden states.

The fast one; its sums are exact. What it does beside the textbook step of `model.network`:

- The first layer's input product is a table: the row of the id, in float32, biases included.
- Hidden states of all layers lie side by side as bytes, so what a layer reads (the layer
  below, new, and its own, old) is one slice, and its two products are one.
- tanh(x) is 2 s(2x) - 1, with s the logistic sigmoid: torch's tanh takes ten times as long. So
  the candidate's rows of the weights are doubled, and d = 2c is carried in place of the cell
  state c.
- Everything but the products is by element in float32. torch computes the last few elements of a
  loop, and those at the borders between threads, by other code than the rest, and their sigmoids
  differ in the last bit. So the width is filled up to whole vectors with units that stay at 0,
  and no call is so large that torch would share it out between threads.

TorchScript compiles `forward` and `feed` (see `model.decoding.decode_loop`): a step then costs one
call and holds no Python lock. Shapes: R rows, L layers, H hidden width, V vocabulary, T steps; W is
H, filled up. Knows nothing of sampling and text.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.decoding.backends.base import SHARED_FROM, Backend
from model.decoding.backends.int8_linear import ZERO, Int8Linear
from model.network import Network

VECTOR = 32  # float32 values that torch's loops take at a time, on any CPU
UNSHARED = SHARED_FROM - VECTOR  # elements of one call: whole vectors, and one thread's


class Int8Backend(Backend):
    """Backend of quantized int8 arithmetic with exact sums, for plain stacks of LSTM on a CPU.

    State: bytes (R, L x W) and d (R, L x W) float32.
    """

    def __init__(self, network: Network, levels: int) -> None:
        """`network` must be an LSTM on a CPU; weights get `levels` levels on either side of 0."""
        super().__init__()
        config = network.config
        filler = -config.hidden_size % VECTOR
        self.width = config.hidden_size + filler
        self.num_layers = config.num_layers
        self.unshared = UNSHARED
        self.table = torch.empty(0)  # (V, 4W)
        self.layers = nn.ModuleList()
        for index, layer in enumerate(network.layers):
            inputs, recurrent, input_bias, recurrent_bias = (
                _gates_in_order(weight.detach().float(), filler) for weight in layer.parameters()
            )
            recurrent = functional.pad(recurrent, (0, filler))
            bias = input_bias + recurrent_bias
            if index == 0:
                self.table = network.embedding.weight.detach().float() @ inputs.t() + bias
                self.layers.append(Int8Linear(recurrent, None, levels))
            else:
                inputs = functional.pad(inputs, (0, filler))
                self.layers.append(Int8Linear(torch.cat([inputs, recurrent], dim=1), bias, levels))
        weight = functional.pad(network.output.weight.detach().float(), (0, filler))
        self.output = Int8Linear(weight, network.output.bias.detach().float(), levels)
        self._rounding = torch.tensor(ZERO + 0.5)  # copying to bytes cuts: a half more rounds

    @torch.jit.unused
    def zero_state(self, rows: int) -> list[Tensor]:
        """Zero state, that before any text, for `rows` rows."""
        width = self.num_layers * self.width
        hidden = torch.full((rows, width), ZERO, dtype=torch.uint8)
        return [hidden, torch.zeros(rows, width)]

    def forward(self, ids: Tensor, state: list[Tensor]) -> Tensor:
        """Logits (R, V) after one more id (R,) int64 a row; `state` moves on in place."""
        self.advance(ids, state)
        return self.logits(self._top(state))

    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> Tensor:
        """Read the first lengths[r] of ids[r] into each row; longest first. ids: (R, T).

        Returns the top layer's bytes after each id (R, T, W).
        """
        seen = torch.empty(len(lengths), lengths[0], self.width, dtype=torch.uint8)
        active = len(lengths)
        for step in range(lengths[0]):
            while lengths[active - 1] <= step:
                active -= 1
            rows = [part[:active] for part in state]
            self.advance(ids[:active, step], rows)
            seen[:active, step] = self._top(rows)
        return seen

    def logits(self, seen: Tensor) -> Tensor:
        """Logits (N, V) of the top layer's bytes (N, W)."""
        logits: Tensor = self.output(seen)
        return logits

    def _top(self, state: list[Tensor]) -> Tensor:
        return state[0][:, (self.num_layers - 1) * self.width :]

    def advance(self, ids: Tensor, state: list[Tensor]) -> None:
        """Step all layers by one id a row, without the logits; `state` moves on in place."""
        width, hidden = self.width, state[0]
        for index, layer in enumerate(self.layers):
            start, end = index * width, (index + 1) * width
            gates = layer(hidden[:, max(0, start - width) : end])
            if index == 0:
                gates.add_(self.table.index_select(0, ids))
            hidden_new, doubled_cell = hidden[:, start:end], state[1][:, start:end]
            if gates.numel() <= self.unshared:  # a few rows: cutting would cost more than it cuts
                self._update(gates.sigmoid_(), hidden_new, doubled_cell)
            else:
                self._update_in_parts(gates, hidden_new, doubled_cell)

    def _update_in_parts(self, gates: Tensor, hidden: Tensor, doubled_cell: Tensor) -> None:
        for part in torch.split(gates.view(-1), self.unshared):
            part.sigmoid_()
        rows = self.unshared // self.width
        for first in range(0, gates.shape[0], rows):
            rest = slice(first, first + rows)
            self._update(gates[rest], hidden[rest], doubled_cell[rest])

    def _update(self, gates: Tensor, hidden: Tensor, d: Tensor) -> None:
        """Update one layer's d and h in place, from its gates (R, 4W) between 0 and 1."""
        i, f, o, g = torch.split(gates, self.width, dim=1)
        # c = f c + i (2g - 1), of which d = 2c is f d + 4 i g - 2 i
        d.mul_(f).addcmul_(i, g, value=4.0).sub_(i, alpha=2.0)
        # h = o tanh(c) = o (2 s(d) - 1), as the byte 127 h + 128, rounded
        shown = torch.sigmoid(d).sub_(0.5)
        hidden.copy_(torch.addcmul(self._rounding, o, shown, value=254.0))


def table_bytes(network: Network) -> int:
    """Memory of the first layer's input table, in bytes."""
    width = network.config.hidden_size + -network.config.hidden_size % VECTOR
    return network.config.vocab_size * 4 * width * 4


def is_bounded(network: Network) -> bool:
    """Whether no number of the int8 backend can overflow for this network, whatever the text.

    Hidden states lie in (-1, 1), so no sum is larger than that of its weights' sizes; and a cell
    state grows by at most 1 a step. So the backend's logits are always finite.
    """
    weights = dict(network.named_parameters())
    largest = sum(float(weight.detach().abs().double().sum()) for weight in weights.values())
    widest = float(network.embedding.weight.detach().abs().double().max())
    return largest * max(1.0, widest) < torch.finfo(torch.float32).max / 2


def _gates_in_order(weight: Tensor, filler: int) -> Tensor:
    """Weights of the gates i, f, g, o in the order i, f, o, 2g, each with `filler` rows of zeros.

    One sigmoid then serves all four. A unit of zeros stays at 0: its gates are all 0.5.
    """
    i, f, g, o = weight.chunk(4)
    fill = (0, filler) if weight.dim() == 1 else (0, 0, 0, filler)
    return torch.cat([functional.pad(gate, fill) for gate in (i, f, o, 2 * g)])
