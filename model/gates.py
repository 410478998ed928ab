"""What one layer does while ids are read: its hidden state; of an lstm, its gates and cell too.

The gates of all steps follow at once from the layer's inputs and hidden states, by the equations of
`model.network`, in float32 whatever path texts are written by. Shapes: T steps, H hidden width.
Knows nothing of text and plots.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.device import full_precision
from model.network import Network, State

GATES = ("forget", "input", "output")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gates:
    """What an lstm's layer does at each step. Gates lie in (0, 1)."""

    input: Tensor  # (T, H), as all of them
    forget: Tensor
    candidate: Tensor
    output: Tensor
    cell: Tensor  # c after the step

    def openings(self) -> dict[str, Tensor]:
        """The mean over the units, (T,), of the three gates."""
        return {name: getattr(self, name).mean(dim=1) for name in GATES}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerSteps:
    """One layer at each step, on the CPU."""

    hidden: Tensor  # (T, H): h after the step
    gates: Gates | None  # of cells that have these


@torch.inference_mode()
def layer_steps(
    network: Network, ids: Sequence[int], layer: int, state: State
) -> tuple[LayerSteps, State]:
    """Layer number `layer`, counted from 0, while `ids` are read after `state`, which has one row.

    The state that comes back is that of the layers up to this one.
    """
    x = network.embedding(torch.tensor(ids, device=network.device)).unsqueeze(1)
    after = []
    with full_precision(network.device):
        for index in range(layer):
            x, last = network.read_layer(x, state.of_layer(index), index)
            x = network.passed_on(x, index)
            after.append(last)
        before = state.of_layer(layer)
        hidden, last = network.read_layer(x, before, layer)
    gates = _gates(network, layer, x, hidden, before) if before.cell is not None else None
    steps = LayerSteps(hidden=hidden.squeeze(1).cpu(), gates=gates)
    return steps, State.of_layers([*after, last])


def _gates(network: Network, layer: int, x: Tensor, hidden: Tensor, before: State) -> Gates:
    """Those of all steps, as what each has read is known: x and hidden are (T, 1, width)."""
    read = torch.cat([before.hidden, hidden[:-1]])
    if network.mogrifiers:
        x, read = network.mogrifiers[layer](x, read)
    into, recurrent, *biases = cast("nn.LSTM", network.layers[layer]).all_weights[0]
    sums = functional.linear(x, into, biases[0]) + functional.linear(read, recurrent, biases[1])
    # torch keeps their weights in this order, one under another.
    i, f, g, o = (part.squeeze(1) for part in sums.cpu().chunk(4, dim=-1))
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    assert before.cell is not None  # noqa: S101 - an lstm has one
    return Gates(
        input=i, forget=f, candidate=g, output=o, cell=_cells(f, i * g, before.cell[0].cpu())
    )


def _cells(forget: Tensor, written: Tensor, cell: Tensor) -> Tensor:
    """The cell state after each step (T, H), from the one before the first (1, H)."""
    cells = []
    for kept, added in zip(torch.split(forget, 1), torch.split(written, 1), strict=True):
        cell = kept * cell + added
        cells.append(cell)
    return torch.cat(cells)
