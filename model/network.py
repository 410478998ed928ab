"""Network: a stacked LSTM, GRU or RNN, `logits, state = network(tokens, state)`.

Shapes: B rows, T steps, V vocabulary, E embedding, H hidden width, L layers.
Knows nothing of text, sampling or training; it maps ids and a state to logits and a state, and
has places where training may disturb it on purpose (`Noise`).

What one LSTM layer computes at step t (Hochreiter & Schmidhuber 1997; the forget gate is Gers,
Schmidhuber & Cummins 2000), with x_t the layer's input, s() the logistic sigmoid, * by element:

    i_t = s(W_i x_t + U_i h_{t-1} + b_i)        input gate: how much of the candidate to write
    f_t = s(W_f x_t + U_f h_{t-1} + b_f)        forget gate: how much of the old cell to keep
    g_t = tanh(W_g x_t + U_g h_{t-1} + b_g)     candidate: what could be written
    o_t = s(W_o x_t + U_o h_{t-1} + b_o)        output gate: how much of the cell to show
    c_t = f_t * c_{t-1} + i_t * g_t             cell state
    h_t = o_t * tanh(c_t)                       hidden state

The cell state c is the memory: it changes only by gated addition, so where f is near 1 a fact
(how long the line is, whether a quotation is open) and its gradient pass hundreds of steps
undamped. The hidden state h, in (-1, 1), is what the cell shows now: it feeds the gates of the
next step, the layer above and, from the top layer, the logits. The two together are all that
the network knows of a text, however long: there is no context window.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.config import Cell, ModelConfig
from model.initialisation import initialise
from model.mogrifier import Mogrifier
from model.noise import NO_NOISE, Noise
from model.one_hot_input import one_hot_input


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Recurrent state, carried from one step to the next, for B rows.

    hidden: (L, B, H); cell: (L, B, H), or None for cells that have no cell state (gru, rnn).
    """

    hidden: Tensor
    cell: Tensor | None

    @property
    def rows(self) -> int:
        """Number of rows B, one a text."""
        return self.hidden.shape[1]

    def without(self, rows: Tensor) -> "State":
        """Copy of the state with the rows that `rows` (B,) bool marks as before any text."""
        return self._map(lambda part: part.masked_fill(rows[:, None], 0))

    def of_layer(self, index: int) -> "State":
        """State of one layer, (1, B, H)."""
        return self._map(lambda part: part[index : index + 1])

    @staticmethod
    def joined(parts: "Sequence[State]", dim: int) -> "State":
        """State put together from those of its layers (dim 0) or of its rows (dim 1)."""
        cells = [part.cell for part in parts if part.cell is not None]
        hidden = torch.cat([part.hidden for part in parts], dim)
        return State(hidden, torch.cat(cells, dim) if cells else None)

    def detach(self) -> "State":
        """State cut from the autograd graph: gradients end here (truncated BPTT)."""
        return self._map(Tensor.detach)

    def _map(self, change: Callable[[Tensor], Tensor]) -> "State":
        return State(change(self.hidden), None if self.cell is None else change(self.cell))


@dataclass(frozen=True, slots=True)
class _CellKind:
    module: Callable[..., nn.RNNBase]  # holds the weights of a layer
    sequence: Callable[..., tuple[Tensor, ...]]  # runs a whole sequence, fused
    step: Callable[..., Tensor | tuple[Tensor, Tensor]]
    has_cell_state: bool


_KINDS: dict[Cell, _CellKind] = {
    "lstm": _CellKind(nn.LSTM, torch.lstm, torch.lstm_cell, has_cell_state=True),
    "gru": _CellKind(nn.GRU, torch.gru, torch.gru_cell, has_cell_state=False),
    "rnn": _CellKind(nn.RNN, torch.rnn_tanh, torch.rnn_tanh_cell, has_cell_state=False),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerPass:
    """One layer's reading of one step or of a window: input, states and output.

    A window's tensors are (T, B, width), one step's (B, width).
    """

    x: Tensor
    before: State  # of this layer, (1, B, H), as the next
    after: State
    hidden: Tensor
    output: Tensor  # the hidden states as the layer above reads them


# Runs a layer over x with its state, its weights and its index; see `Network._step`.
_Run = Callable[[Tensor, State, list[Tensor], int], tuple[Tensor, State]]


class Network(nn.Module):
    """Stacked LSTM, GRU or RNN: embedding, L recurrent layers and an output layer.

    Optionally with layer norms, skip connections and Mogrifier rounds.

    The layers are torch's single-layer modules, so each may be reached by itself, but they only
    hold the weights: those that are run with may have been disturbed on the way (`Noise`), and
    torch's modules, cuDNN's flattened copies above all, are not made for that.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self._kind = _KINDS[config.cell]
        width, hidden = config.embedding_size, config.hidden_size
        widths = [width] + [hidden] * (config.num_layers - 1)
        self.embedding = _embedding(config.vocab_size, width)
        self.layers = nn.ModuleList(self._kind.module(width, hidden) for width in widths)
        self.norms = nn.ModuleList(nn.LayerNorm(hidden) for _ in widths if config.layer_norm)
        rounds, rank = config.mogrifier_rounds, config.mogrifier_rank
        self.mogrifiers = nn.ModuleList(
            Mogrifier(width, hidden, rounds=rounds, rank=rank) for width in widths if rounds > 0
        )
        self.output = nn.Linear(hidden, config.vocab_size)
        if config.tied:
            self.output.weight = self.embedding.weight

    def initialise(self) -> Self:
        """Draw fresh weights from torch's global generator (`model/initialisation.py`)."""
        rounds = self.mogrifiers.parameters()
        initialise(self.config, self.embedding, self.layers, rounds, self.output)
        return self

    @property
    def device(self) -> torch.device:
        """Device that the weights lie on."""
        return self.embedding.weight.device

    def zero_state(self, rows: int) -> State:
        """Zero state, that before any text, for `rows` rows."""
        shape = (self.config.num_layers, rows, self.config.hidden_size)
        hidden = torch.zeros(shape, device=self.device)
        return State(hidden, torch.zeros_like(hidden) if self._kind.has_cell_state else None)

    def forward(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Compute logits for the token after each of `tokens`, and the state after the last.

        tokens: (B, T) int64; returns logits (B, T, V) and the state of the B rows.
        """
        top, state = self.read(tokens, state)
        return self.output(top).transpose(0, 1), state

    def read(
        self, tokens: Tensor, state: State, noise: Noise = NO_NOISE, *, one_hot: bool = False
    ) -> tuple[Tensor, State]:
        """Read a window: what the output layer sees (T, B, H), and the state after it.

        With `one_hot` by another way (`model/one_hot_input.py`), to the same numbers but for
        rounding, where no noise changes the lowest layer's input and there is no Mogrifier.
        """
        table, ids = noise.embedding(self.embedding.weight), tokens.t()
        if one_hot:
            x, table = one_hot_input(ids, table)
            run = partial(self._run_fused, table=table)
            return self._top(self._passes(x, state, run, noise))
        x = functional.embedding(ids, table)  # (T, B, E): as the fused layers want it
        return self._top(self.layer_passes(x, state, noise))

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Logits and state of one step, without the set-up cost of fused layers; for inference.

        tokens: (B,) int64; returns logits (B, V) and the state of the B rows.
        """
        top, state = self.read_one(tokens, state)
        return self.output(top), state

    def read_one(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one token a row, `tokens` (B,): what the output layer sees (B, H), and the state."""
        return self._top(self._passes(self.embedding(tokens), state, self._step, NO_NOISE))

    def layer_passes(self, x: Tensor, state: State, noise: Noise = NO_NOISE) -> Iterator[LayerPass]:
        """Read a window of embedded ids x (T, B, E), layer by layer from the lowest one."""
        run = self._run_in_steps if self.mogrifiers else self._run_fused
        return self._passes(x, state, run, noise)

    def _passes(self, x: Tensor, state: State, run: _Run, noise: Noise) -> Iterator[LayerPass]:
        for index in range(self.config.num_layers):
            x, before = noise.layer_input(x, index), state.of_layer(index)
            hidden, after = run(x, before, self._weights(index, noise), index)
            output = cast("Tensor", self.norms[index](hidden)) if self.norms else hidden
            yield LayerPass(x=x, before=before, after=after, hidden=hidden, output=output)
            x = output

    def _top(self, passes: Iterator[LayerPass]) -> tuple[Tensor, State]:
        """Output layer's input, from all layers' outputs, and the state after."""
        outputs, after = [], []
        for each in passes:
            outputs.append(each.output)
            after.append(each.after)
        seen = sum(outputs[1:], outputs[0]) if self.config.skip else outputs[-1]
        return seen, State.joined(after, dim=0)

    def _run_fused(
        self,
        x: Tensor,
        state: State,
        weights: list[Tensor],
        index: int,
        table: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """One layer over a window x (T, B, width) and its state (1, B, H), by a fused kernel.

        With a `table` (V, E) the x of the lowest layer is ids, one-hot (T, B, V).
        """
        if table is not None and index == 0:
            weights = [weights[0] @ table.t(), *weights[1:]]
        held = state.hidden if state.cell is None else (state.hidden, state.cell)
        # With biases, one layer, no dropout, in one direction, time first.
        fixed = (True, 1, 0.0, self.training, False, False)
        x, *last = self._kind.sequence(x, held, weights, *fixed)
        return x, State(last[0], last[1] if self._kind.has_cell_state else None)

    def _run_in_steps(
        self, x: Tensor, state: State, weights: list[Tensor], index: int
    ) -> tuple[Tensor, State]:
        """One layer over a window x (T, B, width) and its state (1, B, H), step by step."""
        hidden = []
        for at_step in x:
            h, state = self._step(at_step, state, weights, index)
            hidden.append(h)
        return torch.stack(hidden), state

    def _step(
        self, x: Tensor, state: State, weights: list[Tensor], index: int
    ) -> tuple[Tensor, State]:
        """One layer's new hidden state (B, H) after x (B, width), and its state (1, B, H)."""
        h = state.hidden[0]
        if self.mogrifiers:
            x, h = self.mogrifiers[index](x, h)
        if state.cell is None:
            h = cast("Tensor", self._kind.step(x, h, *weights))
            return h, State(h[None], None)
        h, c = self._kind.step(x, (h, state.cell[0]), *weights)
        return h, State(h[None], c[None])

    def _weights(self, index: int, noise: Noise) -> list[Tensor]:
        inputs, recurrent, *biases = cast("nn.RNNBase", self.layers[index]).all_weights[0]
        return [inputs, noise.recurrent(recurrent), *biases]


def _embedding(vocab_size: int, width: int) -> nn.Embedding:
    """Embedding table, with no values drawn for it on the meta device.

    To draw values of no memory torch imports its compiler: a second of each program's start.
    """
    if torch.get_default_device().type == "meta":
        return nn.Embedding(vocab_size, width, _weight=torch.empty(vocab_size, width))
    return nn.Embedding(vocab_size, width)
