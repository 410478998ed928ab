"""Findings of the cell study, part by part, for plots and page. Holds numbers, makes none."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from model.config import Cell
from model.gate_activations import GateActivations
from training.cell_study.cell_study_config import CellStudyConfig
from training.cell_study.cold_start import Losses
from training.cell_study.gradient_reach import Reach
from training.cell_study.matched_networks import Shapes
from training.cell_study.recall import RecallTask
from training.cell_study.text_learning import Trained
from training.data.corpus_manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TextFindings:
    """Findings on networks that learned text; `reaches` by stage, cell and state (h or c)."""

    shapes: Shapes
    steps: int
    trained: Mapping[Cell, Trained]
    reaches: Mapping[str, Mapping[Cell, Mapping[str, Reach]]]
    places: int
    cold: Mapping[Cell, Losses]
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accuracies:
    """Recall accuracies by cell, then by seed, then by gap."""

    gaps: tuple[int, ...]
    by_cell: Mapping[Cell, list[list[float]]]

    def means(self, cell: Cell) -> list[float]:
        """Average the accuracies over the seeds, gap by gap."""
        return [fmean(column) for column in zip(*self.by_cell[cell], strict=True)]

    def ranges(self, cell: Cell) -> tuple[list[float], list[float]]:
        """Find the worst and the best seed's accuracy, gap by gap."""
        columns = list(zip(*self.by_cell[cell], strict=True))
        return [min(column) for column in columns], [max(column) for column in columns]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecallFindings:
    """Findings on recall, of networks trained on one gap alone and on gaps of all lengths."""

    shapes: Shapes
    steps: int
    mixed_task: RecallTask
    alone: Accuracies  # each gap's by a network of its own
    mixed: Accuracies  # all gaps' by the same network


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GateFindings:
    """Gate openings of one layer over a poem, and by kind of character over more text."""

    source: str  # which network
    layer: int  # counted from 1
    pieces: list[str]  # of the poem, as it was read
    poem: GateActivations
    by_kind: Mapping[str, Mapping[str, float]]
    characters: int  # that `by_kind` is over


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellStudy:
    """Findings of a whole cell study: what its plots and its page need."""

    config: CellStudyConfig
    manifest: Manifest
    text: TextFindings
    recall: RecallFindings
    gates: GateFindings
    minutes: float
