"""Inspection of one layer over a prompt: its states, compactly, and the numbers of a few units.

The hidden and cell states are kept in a byte a unit: a picture shows no more. Of the units that
are asked for every number of their equations is kept. What is read can be looked at, from other
threads too, while the rest is still to be read.

Shapes: N steps, H hidden width, K chosen units. Knows nothing of text, requests and answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from model.gate_activations import GATES, SUMS, LayerActivations, UnitTerms, layer_activations
from model.network import Network, State

LEVELS = 127  # of a unit's byte, on either side of 0

Numbers = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class InspectedLayer:
    """Layer that is looked into, 0 the lowest, and its units of which every number is wanted."""

    index: int
    units: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitSteps:
    """Every number of some units' equations, step by step; the four sums in the order of SUMS."""

    from_below: Numbers  # (N, 4, K)
    from_before: Numbers  # (N, 4, K)
    bias: Numbers  # (4, K)
    gates: Numbers  # (N, 4, K): input, forget, candidate and output
    cell: Numbers  # (N, K): c after the step
    hidden: Numbers  # (N, K): h after it
    cell_before: Numbers  # (K,): c before the first of these steps
    hidden_before: Numbers  # (K,)

    @classmethod
    def of(
        cls, steps: LayerActivations, terms: UnitTerms, before: State, units: Sequence[int]
    ) -> "UnitSteps":
        """Steps of some units of a layer, `before` which its state was this."""
        assert steps.gates is not None  # noqa: S101 - what has terms has gates
        assert before.cell is not None  # noqa: S101
        chosen = torch.tensor(units)
        gates = [getattr(steps.gates, name)[:, chosen] for name in SUMS]
        return cls(
            from_below=terms.from_below.numpy(),
            from_before=terms.from_before.numpy(),
            bias=terms.bias.numpy(),
            gates=torch.stack(gates, dim=1).numpy(),
            cell=steps.gates.cell[:, chosen].numpy(),
            hidden=steps.hidden[:, chosen].numpy(),
            cell_before=before.cell[0, 0].cpu()[chosen].numpy(),
            hidden_before=before.hidden[0, 0].cpu()[chosen].numpy(),
        )

    def without_first(self) -> "UnitSteps":
        """Steps but the first."""
        return UnitSteps(
            from_below=self.from_below[1:],
            from_before=self.from_before[1:],
            bias=self.bias,
            gates=self.gates[1:],
            cell=self.cell[1:],
            hidden=self.hidden[1:],
            cell_before=self.cell[0],
            hidden_before=self.hidden[0],
        )

    @classmethod
    def joined(cls, parts: Sequence["UnitSteps"]) -> "UnitSteps":
        """Steps of successive parts as those of one."""
        whole = ("bias", "cell_before", "hidden_before")
        return cls(
            **{
                each.name: getattr(parts[0], each.name)
                if each.name in whole
                else np.concatenate([getattr(part, each.name) for part in parts])
                for each in fields(cls)
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LayerSteps:
    """Steps of a layer at successive ids, rounded but for those of the chosen units."""

    hidden_levels: Tensor  # (N, H) int8
    cell_levels: Tensor | None  # (N, H) int8; None for a cell without gates, as the openings
    mean_openings: Tensor | None  # (3, N), in the order of GATES
    units: UnitSteps | None  # None where none were asked for

    @classmethod
    def joined(cls, parts: Sequence["LayerSteps"]) -> "LayerSteps":
        """Steps of successive parts as those of one."""
        cells = [part.cell_levels for part in parts if part.cell_levels is not None]
        openings = [part.mean_openings for part in parts if part.mean_openings is not None]
        units = [part.units for part in parts if part.units is not None]
        return cls(
            hidden_levels=torch.cat([part.hidden_levels for part in parts]),
            cell_levels=torch.cat(cells) if cells else None,
            mean_openings=torch.cat(openings, dim=1) if openings else None,
            units=UnitSteps.joined(units) if units else None,
        )

    def __len__(self) -> int:
        return len(self.hidden_levels)

    @property
    def hidden(self) -> bytes:
        """Hidden states as signed bytes, unit by unit of each step: round(127 h) after it."""
        return self.hidden_levels.numpy().tobytes()

    @property
    def cell(self) -> bytes | None:
        """Cell states as bytes, round(127 tanh(c)); None where the network has none."""
        return None if self.cell_levels is None else self.cell_levels.numpy().tobytes()

    @property
    def openings(self) -> dict[str, list[float]] | None:
        """Mean activation of each gate over the units, step by step; None where it has no gates."""
        if self.mean_openings is None:
            return None
        return dict(zip(GATES, self.mean_openings.tolist(), strict=True))


class LayerInspection:
    """Record of one layer's states and gates over a prompt, read chunk by chunk.

    It has a step for each id but the first, which opens the prompt; in order. A chunk, once it is
    there, does not change.
    """

    def __init__(self, network: Network, layer: InspectedLayer, ids: Sequence[int]) -> None:
        self.is_finite = True  # False once the numbers at some place were not finite
        self._network = network
        self._layer = layer.index
        self._units = layer.units
        self._ids = tuple(ids)
        self._state = network.zero_state(1)
        self._num_read = 0
        self._chunks: list[LayerSteps] = []

    def read_up_to(self, end: int) -> None:
        """Read the ids before number `end` that are not read yet; there must be some."""
        ids, before = self._ids[self._num_read : end], self._state
        steps, self._state = layer_activations(self._network, ids, self._layer, before, self._units)
        skipped = 1 if self._num_read == 0 else 0
        self._num_read = end
        # A hidden state is in (-1, 1) whatever the cell holds.
        cell = steps.hidden if steps.gates is None else steps.gates.cell
        self.is_finite = (
            self.is_finite and bool(steps.hidden.isfinite().all()) and bool(cell.isfinite().all())
        )
        if self.is_finite:
            self._chunks.append(self._chunk(steps, before, skipped))

    def _chunk(self, steps: LayerActivations, before: State, skipped: int) -> LayerSteps:
        cell_levels = mean_openings = units = None
        if steps.gates is not None:
            cell_levels = _levels(steps.gates.cell.tanh())[skipped:]
            openings = steps.gates.openings()
            mean_openings = torch.stack([openings[name] for name in GATES])[:, skipped:]
        if steps.terms is not None:
            every = UnitSteps.of(steps, steps.terms, before.of_layer(self._layer), self._units)
            units = every.without_first() if skipped else every
        return LayerSteps(
            hidden_levels=_levels(steps.hidden)[skipped:],
            cell_levels=cell_levels,
            mean_openings=mean_openings,
            units=units,
        )

    @property
    def num_chunks(self) -> int:
        """Count of the chunks that are read."""
        return len(self._chunks)

    def steps(self, first: int = 0, last: int | None = None) -> LayerSteps:
        """Steps of the chunks from `first` to before `last`, at least one; by default of all."""
        return LayerSteps.joined(self._chunks[first:last])


def _levels(values: Tensor) -> Tensor:
    return (LEVELS * values).round().to(torch.int8)
