"""Data file of the cell study: the series that its plots show, as JSON, for plots made elsewhere.

Numbers are rounded to `DIGITS` that count, finer than any plot shows. Knows nothing of how one
came about.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from model.gate_activations import GATES
from training.cell_study.cold_start import doubling_spans
from training.cell_study.findings import (
    Accuracies,
    CellStudy,
    GateFindings,
    RecallFindings,
    TextFindings,
)
from training.cell_study.matched_networks import num_parameters

DATA = "study.json"
DIGITS = 4


def write_data(study: CellStudy, folder: Path) -> None:
    """Write study.json beside page and plots: an object with one member for each part."""
    parts = {
        "networks": _networks(study.text),
        "gradients": _gradients(study.text),
        "recall": _recall(study.recall),
        "cold_start": _cold_start(study.text),
        "gates": _gates(study.gates),
    }
    content = json.dumps(parts, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    (folder / DATA).write_text(content + "\n", encoding="utf-8")


def _networks(text: TextFindings) -> dict[str, Any]:
    cells = {
        cell: {
            "units": shape.hidden_size,
            "parameters": num_parameters(shape),
            "nats": _rounded([text.trained[cell].nats])[0],
        }
        for cell, shape in text.shapes.items()
    }
    return {"updates": text.steps, "cells": cells}


def _gradients(text: TextFindings) -> dict[str, Any]:
    """Curves by stage of training; each has its share of the gradient by steps back, from 0."""
    stages = {
        stage: [
            {
                "cell": cell,
                "state": state,
                "median": _rounded(reach.median.tolist()),
                "lower": _rounded(reach.lower.tolist()),
                "upper": _rounded(reach.upper.tolist()),
            }
            for cell, reaches in cells.items()
            for state, reach in reaches.items()
        ]
        for stage, cells in text.reaches.items()
    }
    return {"places": text.places, "stages": stages}


def _recall(recall: RecallFindings) -> dict[str, Any]:
    return {
        "chance": recall.mixed_task.chance,
        "longest_gap": recall.mixed_task.longest_gap,
        "updates": recall.steps,
        "alone": _accuracies(recall.alone),
        "mixed": _accuracies(recall.mixed),
    }


def _accuracies(accuracies: Accuracies) -> dict[str, Any]:
    cells = {}
    for cell in accuracies.by_cell:
        worst, best = accuracies.ranges(cell)
        mean = _rounded(accuracies.means(cell))
        cells[cell] = {"mean": mean, "worst": _rounded(worst), "best": _rounded(best)}
    return {"gaps": list(accuracies.gaps), "cells": cells}


def _cold_start(text: TextFindings) -> dict[str, Any]:
    spans = {cell: doubling_spans(losses) for cell, losses in text.cold.items()}
    positions = [[span.first, span.last] for span in next(iter(spans.values()))]
    cells = {cell: _rounded(span.nats for span in each) for cell, each in spans.items()}
    return {"windows": text.windows, "positions": positions, "cells": cells}


def _gates(gates: GateFindings) -> dict[str, Any]:
    openings = gates.poem.openings()
    return {
        "source": gates.source,
        "layer": gates.layer,
        "pieces": gates.pieces,
        "openings": {gate: _rounded(openings[gate].tolist()) for gate in GATES},
        "characters": gates.characters,
        "by_kind": {
            kind: dict(zip(row, _rounded(row.values()), strict=True))
            for kind, row in gates.by_kind.items()
        },
    }


def _rounded(values: Iterable[float]) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]
