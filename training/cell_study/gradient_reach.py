"""Gradient reach: the gradient of a loss with respect to recurrent states k steps earlier.

The state that step t - k hands on is taken as free: h and, for an lstm, c are independent
coordinates of it (what c shows through its own h is not counted a second time). So the
gradient with respect to h holds c fixed, and the other way round. At k = 0 it is the state that
the logits are computed from, which is h alone. Bengio, Simard & Frasconi 1994 saw why it vanishes
in an rnn; Hochreiter & Schmidhuber 1997 built the cell state so that it need not.
Always in double precision: 200 steps may take a gradient below what float32 can hold.
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from model.network import Network, State

Curve = np.ndarray[tuple[int], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reach:
    """Gradient norms by steps back, as shares of the same place's norm for h at k = 0.

    The middle of all places (the median), and the quarters below and above it.
    """

    lower: Curve
    median: Curve
    upper: Curve

    @classmethod
    def of(cls, norms: Tensor, scale: Tensor) -> "Reach":
        """Summarise `norms` (K, B) by place, divided by `scale` (B,), as median and quarters."""
        shares = (norms / scale).cpu().numpy()
        lower, median, upper = np.quantile(shares, (0.25, 0.5, 0.75), axis=1)
        return cls(lower=lower, median=median, upper=upper)

    def steps_above(self, share: float) -> int:
        """Count the steps back until the median falls below `share`.

        At least 1; its length if it never does.
        """
        below = np.flatnonzero(self.median[1:] < share)
        return 1 + int(below[0]) if len(below) else len(self.median)


def reaches(network: Network, windows: Tensor, steps: int) -> dict[str, Reach]:
    """Measure the gradient's reach to h, and to c where there is one, over all `windows`."""
    hidden, cell = state_gradients(network, windows, steps)
    found = {"h": Reach.of(hidden, hidden[0])}
    if cell is not None:
        found["c"] = Reach.of(cell, hidden[0])
    return found


def state_gradients(network: Network, windows: Tensor, steps: int) -> tuple[Tensor, Tensor | None]:
    """Compute gradient norms of the last id's loss with respect to the top layer's states.

    windows: (B, N) ids with N >= steps + 2, each read from the zero state on; returns norms
    (steps + 1, B) for h and for c, row k for the state that is handed on k steps earlier.
    """
    exact = copy.deepcopy(network).double().eval().requires_grad_(requires_grad=False)
    tokens = windows[:, :-1].to(network.device)
    lead = tokens.shape[1] - steps
    start = _in_double(exact.zero_state(len(windows)))
    with torch.no_grad():
        _, state = exact.read(tokens[:, :lead], start)
    states = [_free(state)]
    for column in tokens[:, lead:].unbind(1):
        states.append(exact.read_one(column, states[-1])[1])
    logits = exact.output(states[-1].hidden[-1])
    targets = windows[:, -1].to(network.device)
    loss = functional.cross_entropy(logits, targets, reduction="sum")  # rows do not mix
    hidden = _norms(loss, [state.hidden for state in states])
    cells = [state.cell for state in states if state.cell is not None]
    return hidden, _norms(loss, cells) if cells else None


def _norms(loss: Tensor, states: list[Tensor]) -> Tensor:
    """Take the top layer's gradient norms of `states` (L, B, H), the last state first."""
    gradients = torch.autograd.grad(
        loss, states, retain_graph=True, allow_unused=True, materialize_grads=True
    )
    return torch.stack([gradient[-1].norm(dim=1) for gradient in reversed(gradients)])


def _in_double(state: State) -> State:
    return State(state.hidden.double(), None if state.cell is None else state.cell.double())


def _free(state: State) -> State:
    """Detach a state: the same numbers as leaves that gradients end in."""
    cell = None if state.cell is None else state.cell.detach().requires_grad_()
    return State(state.hidden.detach().requires_grad_(), cell)
