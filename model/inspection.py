"""What one layer did while a prompt was read, chunk by chunk, in the few bytes that can be drawn.

Hidden and cell states are kept in a byte a unit: a picture shows no more. Knows nothing of
requests, threads and forms of an answer.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from model.gates import GATES, Gates, layer_steps
from model.network import Network

LEVELS = 127  # on either side of 0


class Inspection:
    """Of a layer at each id of a prompt but the first, which opens it; in order."""

    def __init__(self, network: Network, layer: int, ids: Sequence[int]) -> None:
        self.is_sound = True  # False once the numbers at some place were not finite
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
        steps, self._state = layer_steps(self._network, ids, self._layer, self._state)
        skipped = 1 if self._num_read == 0 else 0
        self._num_read = end
        self.is_sound = self.is_sound and bool(steps.hidden.isfinite().all())
        if not self.is_sound:
            return
        self._hidden.append(_levels(steps.hidden)[skipped:])
        if steps.gates is not None:
            self._note_gates(steps.gates, skipped)

    def _note_gates(self, gates: Gates, skipped: int) -> None:
        # A hidden state is in (-1, 1) whatever the cell holds.
        self.is_sound = bool(gates.cell.isfinite().all())
        if self.is_sound:
            self._cell.append(_levels(gates.cell.tanh())[skipped:])
            openings = gates.openings()
            self._openings.append(torch.stack([openings[name] for name in GATES])[:, skipped:])

    @property
    def hidden(self) -> bytes:
        """Signed bytes, unit by unit of each step: round(127 h) after it."""
        return _bytes(self._hidden)

    @property
    def cell(self) -> bytes | None:
        """round(127 tanh(c)) in the same way; None where the network has no cell state."""
        return _bytes(self._cell) if self._cell else None

    @property
    def openings(self) -> dict[str, list[float]] | None:
        """The mean over the units of each gate, step by step; None where there are none."""
        if not self._openings:
            return None
        by_gate = torch.cat(self._openings, dim=1).tolist()
        return dict(zip(GATES, by_gate, strict=True))


def _levels(values: Tensor) -> Tensor:
    return (LEVELS * values).round().to(torch.int8)


def _bytes(parts: list[Tensor]) -> bytes:
    return torch.cat(parts).numpy().tobytes()
