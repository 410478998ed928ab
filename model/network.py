"""The stacked recurrent network: `logits, state = network(tokens, state)`.

Shapes: B rows, T steps, V vocabulary, E embedding, H hidden width, L layers.
Knows nothing of text, sampling or training; it maps ids and a state to logits and a state.

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

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.config import Cell, ModelConfig

FORGET_BIAS = 1.0  # Jozefowicz, Zaremba & Sutskever 2015: remember until told otherwise


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What the network carries from one step to the next, for B rows.

    hidden: (L, B, H); cell: (L, B, H), or None for cells that have no cell state (gru, rnn).
    """

    hidden: Tensor
    cell: Tensor | None

    @property
    def rows(self) -> int:
        """B, the number of texts carried."""
        return self.hidden.shape[1]

    def without(self, rows: Tensor) -> "State":
        """A copy in which the rows that `rows` (B,) bool marks are as before any text."""
        return self._map(lambda part: part.masked_fill(rows[:, None], 0))

    def detach(self) -> "State":
        """The same numbers, cut from the graph: gradients end here (truncated BPTT)."""
        return self._map(Tensor.detach)

    def _map(self, change: Callable[[Tensor], Tensor]) -> "State":
        return State(change(self.hidden), None if self.cell is None else change(self.cell))


@dataclass(frozen=True, slots=True)
class _CellKind:
    layer: Callable[..., nn.RNNBase]  # runs a whole sequence, fused
    gates: int  # weight rows per unit
    has_cell_state: bool


_KINDS: dict[Cell, _CellKind] = {
    "lstm": _CellKind(nn.LSTM, 4, has_cell_state=True),
    "gru": _CellKind(nn.GRU, 3, has_cell_state=False),
    "rnn": _CellKind(nn.RNN, 1, has_cell_state=False),
}


class Network(nn.Module):
    """Embedding, L recurrent layers, output layer; dropout before every layer and the output.

    Dropout is variational (Gal & Ghahramani 2016): one mask a row and window, the same for every
    step of it. It also costs a T-th of drawing a mask for each step.

    The layers are torch's fused single-layer modules, so each may be reached by itself.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        kind = _KINDS[config.cell]
        widths = [config.embedding_size] + [config.hidden_size] * config.num_layers
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size)
        self.layers = nn.ModuleList(kind.layer(width, config.hidden_size) for width in widths[:-1])
        self.output = nn.Linear(config.hidden_size, config.vocab_size)
        if config.tied:
            self.output.weight = self.embedding.weight
        self._has_cell_state = kind.has_cell_state

    def initialise(self) -> Self:
        """Fresh weights from torch's global generator; recurrent ones are orthogonal by gate."""
        # Tied, the same vectors make the logits, which must start small.
        scale = self.config.embedding_size**-0.5 if self.config.tied else 1.0
        nn.init.normal_(self.embedding.weight, std=scale)
        if not self.config.tied:
            nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        for layer in self.layers:
            _initialise_layer(layer, self.config)
        return self

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.embedding.weight.device

    def zero_state(self, rows: int) -> State:
        """The state before any text, for `rows` rows."""
        shape = (self.config.num_layers, rows, self.config.hidden_size)
        hidden = torch.zeros(shape, device=self.device)
        return State(hidden, torch.zeros_like(hidden) if self._has_cell_state else None)

    def forward(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Logits for the token after each of `tokens`, and the state after the last.

        tokens: (B, T) int64; returns logits (B, T, V) and the state of the B rows.
        """
        top, state = self.read(tokens, state)
        return self.output(self._dropped(top)).transpose(0, 1), state

    def read(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """The top layer's hidden states (T, B, H), and the state after the last of `tokens`."""
        x = self.embedding(tokens.t())  # (T, B, E): time first is what the fused layers run on
        hidden, cell = [], []
        for index, layer in enumerate(self._rnns()):
            x, last = layer(self._dropped(x), self._of_layer(state, index))
            hidden.append(last[0] if self._has_cell_state else last)
            if self._has_cell_state:
                cell.append(last[1])
        return x, State(torch.cat(hidden), torch.cat(cell) if cell else None)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """`forward` for one step without the fused layers' set-up cost; for inference.

        tokens: (B,) int64; returns logits (B, V) and the state of the B rows.
        """
        top, state = self.read_one(tokens, state)
        return self.output(top), state

    def read_one(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """`read` for one step: the top layer's hidden state (B, H) after `tokens` (B,)."""
        x = self.embedding(tokens)
        hidden, cell = [], []
        for index, layer in enumerate(self._rnns()):
            h = state.hidden[index]
            weights = layer.all_weights[0]  # input, recurrent, and their biases
            if state.cell is not None:
                x, c = torch.lstm_cell(x, (h, state.cell[index]), *weights)
                cell.append(c)
            elif self.config.cell == "gru":
                x = torch.gru_cell(x, h, *weights)
            else:
                x = torch.rnn_tanh_cell(x, h, *weights)
            hidden.append(x)
        return x, State(torch.stack(hidden), torch.stack(cell) if cell else None)

    def _dropped(self, x: Tensor) -> Tensor:
        if not self.training or self.config.dropout == 0:
            return x
        return x * functional.dropout(x.new_ones(x.shape[1:]), self.config.dropout)

    def _rnns(self) -> Iterator[nn.RNNBase]:
        return (cast("nn.RNNBase", layer) for layer in self.layers)

    def _of_layer(self, state: State, index: int) -> Tensor | tuple[Tensor, Tensor]:
        hidden = state.hidden[index : index + 1]
        return hidden if state.cell is None else (hidden, state.cell[index : index + 1])


def _initialise_layer(layer: nn.Module, config: ModelConfig) -> None:
    for name, weight in layer.named_parameters():
        if name.startswith("weight_hh"):
            for gate in weight.data.chunk(_KINDS[config.cell].gates):
                nn.init.orthogonal_(gate)
        elif name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        else:
            nn.init.zeros_(weight)
            if config.cell == "lstm" and name.startswith("bias_ih"):
                weight.data[config.hidden_size : 2 * config.hidden_size] = FORGET_BIAS
