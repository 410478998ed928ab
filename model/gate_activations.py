"""Gate activations, hidden and cell states of one layer while it reads ids, and their terms.

The gates of all steps follow at once from the layer's inputs and hidden states, by the equations of
`model.network`, in float32 whatever backend texts are written by.

Shapes: T steps, H hidden width, K chosen units. Knows nothing of text, plots, requests and threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.device import full_precision
from model.network import LayerPass, Network, State

GATES = ("forget", "input", "output")
SUMS = ("input", "forget", "candidate", "output")  # as torch keeps their weights, one under another


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GateActivations:
    """Gates, candidate and cell state of an LSTM layer at each step; gates lie in (0, 1)."""

    input: Tensor  # (T, H), as all of them
    forget: Tensor
    candidate: Tensor
    output: Tensor
    cell: Tensor  # c after the step

    def openings(self) -> dict[str, Tensor]:
        """Mean activation over the units, (T,), of the forget, input and output gate."""
        return {name: getattr(self, name).mean(dim=1) for name in GATES}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitTerms:
    """Terms of what some units' gates and candidates are functions of, in the order of SUMS.

    A gate is the sigmoid of their sum and a candidate its tanh, but for the last bits of float32.
    """

    from_below: Tensor  # (T, 4, K): what the layer below, or the embedding, brings in
    from_before: Tensor  # (T, 4, K): what the layer's own hidden state before the step brings in
    bias: Tensor  # (4, K)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerActivations:
    """Hidden state of one layer after each step, and its gates if it is an LSTM's; on the CPU."""

    hidden: Tensor  # (T, H): h after the step
    gates: GateActivations | None  # of cells that have these
    terms: UnitTerms | None = None  # of the units that were asked for, where there are gates


@torch.inference_mode()
def layer_activations(
    network: Network, ids: Sequence[int], layer: int, state: State, units: Sequence[int] = ()
) -> tuple[LayerActivations, State]:
    """Read `ids` after `state`, which has one row, and give the activations of one layer.

    Layers are counted from 0, as are its `units`, whose terms are wanted. The state that comes back
    is that of the layers up to this one.
    """
    x = network.embedding(torch.tensor(ids, device=network.device)).unsqueeze(1)
    with full_precision(network.device):
        passes = list(islice(network.layer_passes(x, state), layer + 1))
    here = passes[-1]
    has_gates = here.before.cell is not None
    x, read = _read_by(network, layer, here) if has_gates else (here.x, here.hidden)
    activations = LayerActivations(
        hidden=here.hidden.squeeze(1).cpu(),
        gates=_gates(network, layer, here, x, read) if has_gates else None,
        terms=_terms(network, layer, x, read, units) if has_gates and units else None,
    )
    return activations, State.joined([each.after for each in passes], dim=0)


def _read_by(network: Network, layer: int, here: LayerPass) -> tuple[Tensor, Tensor]:
    """Input and hidden state (T, 1, width) that the layer has read at each step."""
    x, read = here.x, torch.cat([here.before.hidden, here.hidden[:-1]])
    return network.mogrifiers[layer](x, read) if network.mogrifiers else (x, read)


def _weights(network: Network, layer: int) -> Sequence[Tensor]:
    """Weights of what is read from below and from before, and the bias of either."""
    return cast("nn.LSTM", network.layers[layer]).all_weights[0]


def _gates(
    network: Network, layer: int, here: LayerPass, x: Tensor, read: Tensor
) -> GateActivations:
    """Gates of all steps at once, as what the layer has read at each of them is known."""
    into, recurrent, *biases = _weights(network, layer)
    sums = functional.linear(x, into, biases[0]) + functional.linear(read, recurrent, biases[1])
    i, f, g, o = (part.squeeze(1) for part in sums.cpu().chunk(len(SUMS), dim=-1))
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    assert here.before.cell is not None  # noqa: S101 - an lstm has one
    cell = _cells(f, i * g, here.before.cell[0].cpu())
    return GateActivations(input=i, forget=f, candidate=g, output=o, cell=cell)


def _cells(forget: Tensor, written: Tensor, cell: Tensor) -> Tensor:
    """Cell state after each step (T, H), from the one before the first (1, H)."""
    cells = []
    for kept, added in zip(torch.split(forget, 1), torch.split(written, 1), strict=True):
        cell = kept * cell + added
        cells.append(cell)
    return torch.cat(cells)


def _terms(
    network: Network, layer: int, x: Tensor, read: Tensor, units: Sequence[int]
) -> UnitTerms:
    chosen = torch.tensor(units, device=network.device)
    into, recurrent, *biases = (
        weight.view(len(SUMS), -1, *weight.shape[1:])[:, chosen]
        for weight in _weights(network, layer)
    )  # (4, K, width), the biases (4, K)
    return UnitTerms(
        from_below=torch.einsum("tx,gkx->tgk", x.squeeze(1), into).cpu(),
        from_before=torch.einsum("th,gkh->tgk", read.squeeze(1), recurrent).cpu(),
        bias=(biases[0] + biases[1]).cpu(),
    )
