"""Networks of the three cells (rnn, gru, lstm) with matched numbers of parameters.

An rnn has one matrix where a gru has three and an lstm four, so it is given more units. One
layer each: what reaches back in time then has one path, the recurrence itself.
Knows nothing of what the networks are trained on.
"""

from bisect import bisect_left

import torch

from model.config import Cell, ModelConfig
from model.network import Network

CELLS: tuple[Cell, ...] = ("rnn", "gru", "lstm")

Shapes = dict[Cell, ModelConfig]


def num_parameters(shape: ModelConfig) -> int:
    """Count the weights of a network, biases included."""
    return sum(weight.numel() for weight in Network(shape).parameters())


def equal_shapes(*, vocab_size: int, embedding_size: int, lstm_width: int) -> Shapes:
    """Find the width of each cell that comes nearest to the lstm's number of parameters."""

    def shape(cell: Cell, width: int) -> ModelConfig:
        return ModelConfig(
            cell=cell,
            vocab_size=vocab_size,
            embedding_size=embedding_size,
            hidden_size=width,
            num_layers=1,
        )

    wanted = num_parameters(shape("lstm", lstm_width))

    def nearest(cell: Cell) -> ModelConfig:
        widths = range(lstm_width, 4 * lstm_width)
        above = bisect_left(widths, wanted, key=lambda width: num_parameters(shape(cell, width)))
        near = (shape(cell, width) for width in widths[max(above - 1, 0) : above + 1])
        return min(near, key=lambda candidate: abs(num_parameters(candidate) - wanted))

    return {cell: nearest(cell) for cell in CELLS}


def fresh(shape: ModelConfig, seed: int, device: torch.device) -> Network:
    """Build an untrained network, the same for the same seed. Sets torch's generator."""
    torch.manual_seed(seed)
    return Network(shape).initialise().to(device).eval()
