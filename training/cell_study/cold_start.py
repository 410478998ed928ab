"""Loss after a cold start, from the zero state, by position: what carried state is worth.

Knows nothing of how the networks were trained.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.network import Network
from model.scoring import surprisals
from training.evaluation.cross_entropy import COLD_BATCH, evaluation_mode

Losses = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Span:
    """Span of positions `first` to `last`, counted from 1, and the mean loss over them in nats."""

    first: int
    last: int
    nats: float

    @property
    def middle(self) -> float:
        """Geometric middle of the span: its place on a logarithmic axis."""
        return float(np.sqrt(self.first * self.last))


def nats_by_position(network: Network, windows: Tensor) -> Losses:
    """Compute the mean surprisal at positions 1..N, over windows (B, N + 1) of ids.

    The first id of a window is read from the zero state; position 1 is the one after it.
    """
    total = np.zeros(windows.shape[1] - 1)
    with evaluation_mode(network):
        for rows in torch.split(windows, COLD_BATCH):
            losses, _ = surprisals(network, rows)
            total += losses.double().sum(dim=0).numpy()
    return total / len(windows)


def doubling_spans(losses: Losses) -> list[Span]:
    """Average losses over positions 1, 2-3, 4-7 and so on, each span twice as wide."""
    spans, first = [], 1
    while first <= len(losses):
        last = min(2 * first - 1, len(losses))
        spans.append(Span(first, last, float(losses[first - 1 : last].mean())))
        first = last + 1
    return spans
