"""Mogrifier rounds: before a step, the input and the old hidden state gate each other.

Melis, Kocisky & Blunsom 2020. In odd rounds x becomes 2 s(Q h) * x, in even ones h becomes
2 s(R x) * h, with s the logistic sigmoid, so that a letter is read in the light of what came
before it. Every step needs the state of the one before, so a sequence is read step by step.
Knows nothing of cells.
"""

import torch
from torch import Tensor, nn


class Mogrifier(nn.Module):
    """Mogrifier rounds of one layer. Shapes: B rows, I input width, H hidden width."""

    def __init__(self, input_size: int, hidden_size: int, *, rounds: int, rank: int) -> None:
        """Build `rounds` matrices; with a `rank` above 0 each is a product of two of that width."""
        super().__init__()
        sizes = [(hidden_size, input_size), (input_size, hidden_size)]
        self.gates = nn.ModuleList(_linear(*sizes[index % 2], rank) for index in range(rounds))

    def forward(self, x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Gate the input (B, I) and the hidden state (B, H) by each other, for the cell."""
        for index, gate in enumerate(self.gates):
            if index % 2 == 0:
                x = 2 * torch.sigmoid(gate(hidden)) * x
            else:
                hidden = 2 * torch.sigmoid(gate(x)) * hidden
        return x, hidden


def _linear(inputs: int, outputs: int, rank: int) -> nn.Module:
    if rank == 0:
        return nn.Linear(inputs, outputs, bias=False)
    parts = (nn.Linear(inputs, rank, bias=False), nn.Linear(rank, outputs, bias=False))
    return nn.Sequential(*parts)
