"""Gate activations, hidden and cell states of one layer while it reads ids; compactly, of a prompt.

The gates of all steps follow at once from the layer's inputs and hidden states, by the equations of
`model.network`, in float32 whatever backend texts are written by. `LayerInspection` keeps the
hidden and cell states of a prompt in a byte a unit: a picture shows no more.

Shapes: T steps, H hidden width. Knows nothing of text, plots, requests, threads and answers.
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
LEVELS = 127  # of a unit's byte, on either side of 0


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
class LayerActivations:
    """Hidden state of one layer after each step, and its gates if it is an LSTM's; on the CPU."""

    hidden: Tensor  # (T, H): h after the step
    gates: GateActivations | None  # of cells that have these


@torch.inference_mode()
def layer_activations(
    network: Network, ids: Sequence[int], layer: int, state: State
) -> tuple[LayerActivations, State]:
    """Read `ids` after `state`, which has one row, and give the activations of one layer.

    Layers are counted from 0. The state that comes back is that of the layers up to this one.
    """
    x = network.embedding(torch.tensor(ids, device=network.device)).unsqueeze(1)
    with full_precision(network.device):
        passes = list(islice(network.layer_passes(x, state), layer + 1))
    here = passes[-1]
    activations = LayerActivations(
        hidden=here.hidden.squeeze(1).cpu(),
        gates=_gates(network, layer, here) if here.before.cell is not None else None,
    )
    return activations, State.of_layers([each.after for each in passes])


def _gates(network: Network, layer: int, here: LayerPass) -> GateActivations:
    """Gates of all steps at once, as what the layer has read at each of them is known."""
    x, read = here.x, torch.cat([here.before.hidden, here.hidden[:-1]])  # (T, 1, width)
    if network.mogrifiers:
        x, read = network.mogrifiers[layer](x, read)
    into, recurrent, *biases = cast("nn.LSTM", network.layers[layer]).all_weights[0]
    sums = functional.linear(x, into, biases[0]) + functional.linear(read, recurrent, biases[1])
    # torch keeps their weights in this order, one under another.
    i, f, g, o = (part.squeeze(1) for part in sums.cpu().chunk(4, dim=-1))
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


class LayerInspection:
    """Record of one layer's states and gates over a prompt, read chunk by chunk.

    It has a place for each id but the first, which opens the prompt; in order.
    """

    def __init__(self, network: Network, layer: int, ids: Sequence[int]) -> None:
        self.is_finite = True  # False once the numbers at some place were not finite
        self._network = network
        self._layer = layer
        self._ids = tuple(ids)
        self._state = network.zero_state(1)
        self._num_read = 0
        self._hidden: list[Tensor] = []  # (T, H) int8, as the cell states
        self._cell: list[Tensor] = []
        self._openings: list[Tensor] = []  # (3, T), in the order of GATES

    def read_up_to(self, end: int) -> None:
        """Read the ids before number `end` that are not read yet; there must be some."""
        ids = self._ids[self._num_read : end]
        steps, self._state = layer_activations(self._network, ids, self._layer, self._state)
        skipped = 1 if self._num_read == 0 else 0
        self._num_read = end
        self.is_finite = self.is_finite and bool(steps.hidden.isfinite().all())
        if not self.is_finite:
            return
        self._hidden.append(_levels(steps.hidden)[skipped:])
        if steps.gates is not None:
            self._note_gates(steps.gates, skipped)

    def _note_gates(self, gates: GateActivations, skipped: int) -> None:
        # A hidden state is in (-1, 1) whatever the cell holds.
        self.is_finite = bool(gates.cell.isfinite().all())
        if self.is_finite:
            self._cell.append(_levels(gates.cell.tanh())[skipped:])
            openings = gates.openings()
            self._openings.append(torch.stack([openings[name] for name in GATES])[:, skipped:])

    @property
    def hidden(self) -> bytes:
        """Hidden states as signed bytes, unit by unit of each step: round(127 h) after it."""
        return _bytes(self._hidden)

    @property
    def cell(self) -> bytes | None:
        """Cell states as bytes, round(127 tanh(c)); None where the network has none."""
        return _bytes(self._cell) if self._cell else None

    @property
    def openings(self) -> dict[str, list[float]] | None:
        """Mean activation of each gate over the units, step by step; None where it has no gates."""
        if not self._openings:
            return None
        by_gate = torch.cat(self._openings, dim=1).tolist()
        return dict(zip(GATES, by_gate, strict=True))


def _levels(values: Tensor) -> Tensor:
    return (LEVELS * values).round().to(torch.int8)


def _bytes(parts: list[Tensor]) -> bytes:
    return torch.cat(parts).numpy().tobytes()
