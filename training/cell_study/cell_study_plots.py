"""Plots of the cell study as PNG: gradient reach, recall, cold start, gate openings.

Colours are told apart by colour-blind eyes, line styles without any. Knows nothing of how a
number came about.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model.config import Cell
from model.gate_activations import GATES
from training.cell_study.cold_start import doubling_spans
from training.cell_study.findings import (
    Accuracies,
    CellStudy,
    GateFindings,
    RecallFindings,
    TextFindings,
)
from training.cell_study.gradient_reach import Reach
from training.figure_file import save_figure

GRADIENTS, RECALL, COLD_START, GATE_PLOT = (
    "gradients.png",
    "recall.png",
    "cold_start.png",
    "gates.png",
)

DPI = 100
# Okabe & Ito's palette.
COLOURS = {"rnn": "#D55E00", "gru": "#009E73", "lstm": "#0072B2"}
GATE_COLOURS = {"forget": "#0072B2", "input": "#D55E00", "output": "#009E73"}
GATE_MARKERS = {"forget": "o", "input": "s", "output": "^"}
STYLES = {"rnn": ":", "gru": "--", "lstm": "-"}
MARKERS = {"rnn": "s", "gru": "^", "lstm": "o"}
LOWEST_SHARE = 1e-12  # what is smaller is nothing, beside the noise of training
ROW_CHARACTERS = 64
GAP_AXIS = "letters from the marked one to the question"
SHOWN = {"\n": "\u21b5", " ": "\u00b7", "<s>": "\u25b8"}


def draw_gradients(text: TextFindings, target: Path) -> None:
    """Plot the share of a gradient that arrives k steps earlier, untrained beside trained."""
    figure = Figure(figsize=(10, 4.6), layout="constrained", dpi=DPI)
    panels = figure.subplots(1, len(text.reaches), sharey=True)
    for axes, (stage, cells) in zip(panels, text.reaches.items(), strict=True):
        for cell, reaches in cells.items():
            for state, reach in reaches.items():
                _draw_reach(axes, cell, state, reach)
        axes.set_title(stage)
        axes.set_xlabel("k: steps back from the loss")
        axes.grid(alpha=0.3)
    panels[0].set_yscale("log")
    panels[0].set_ylim(bottom=max(panels[0].get_ylim()[0], LOWEST_SHARE))
    panels[0].set_ylabel("gradient norm, as a share of that at h, k = 0")
    _legend_above(figure, panels[0])
    save_figure(figure, target, dpi=DPI)


def _draw_reach(axes: Axes, cell: Cell, state: str, reach: Reach) -> None:
    is_memory = state == "c"
    label = f"{cell}, cell state c" if is_memory else f"{cell}, hidden state h"
    style = "-." if is_memory else STYLES[cell]
    colour = "#000000" if is_memory else COLOURS[cell]
    steps = np.arange(len(reach.median))
    seen = slice(1, None) if is_memory else slice(None)  # the loss sees no c at k = 0
    axes.plot(steps[seen], reach.median[seen], style, color=colour, label=label)
    axes.fill_between(steps[seen], reach.lower[seen], reach.upper[seen], color=colour, alpha=0.15)


def draw_recall(recall: RecallFindings, target: Path) -> None:
    """Plot recall accuracy over the gap: mean of the seeds, range between worst and best."""
    figure = Figure(figsize=(10, 4.6), layout="constrained", dpi=DPI)
    alone, mixed = figure.subplots(1, 2, sharey=True, width_ratios=(1, 1.4))
    for axes, accuracies in ((alone, recall.alone), (mixed, recall.mixed)):
        _draw_accuracies(axes, accuracies, recall.mixed_task.chance)
    alone.set_title("each network trained on one gap alone")
    alone.set_ylabel("share of answers that are right")
    alone.set_ylim(0, 1.1)
    longest = recall.mixed_task.longest_gap
    mixed.set_title(f"trained on gaps of 0 to {longest} (dotted), short ones more often")
    mixed.axvline(longest, color="grey", linewidth=1, linestyle=(0, (1, 3)))
    mixed.set_xlabel(f"{GAP_AXIS} (log axis)")
    mixed.set_xscale("symlog", linthresh=1)
    mixed.set_xlim(-0.1, recall.mixed.gaps[-1] * 1.2)
    mixed.set_xticks(recall.mixed.gaps, labels=[str(gap) for gap in recall.mixed.gaps])
    mixed.set_xticks([], minor=True)
    _legend_above(figure, alone)
    save_figure(figure, target, dpi=DPI)


def _draw_accuracies(axes: Axes, accuracies: Accuracies, chance: float) -> None:
    for cell in accuracies.by_cell:
        worst, best = accuracies.ranges(cell)
        style = f"{MARKERS[cell]}{STYLES[cell]}"
        axes.plot(accuracies.gaps, accuracies.means(cell), style, color=COLOURS[cell], label=cell)
        axes.fill_between(accuracies.gaps, worst, best, color=COLOURS[cell], alpha=0.15)
    axes.axhline(chance, color="grey", linewidth=1, label=f"chance, {chance:.3f}")
    axes.set_xticks(accuracies.gaps)
    axes.set_xlabel(GAP_AXIS)
    axes.grid(alpha=0.3)


def draw_cold_start(text: TextFindings, target: Path) -> None:
    """Plot nats per character after a cold start, over spans of positions that double in width."""
    figure = Figure(figsize=(8, 4.6), layout="constrained", dpi=DPI)
    axes = figure.subplots()
    for cell, losses in text.cold.items():
        spans = doubling_spans(losses)
        points = [(span.middle, span.nats) for span in spans]
        style = f"{MARKERS[cell]}{STYLES[cell]}"
        axes.plot(*zip(*points, strict=True), style, color=COLOURS[cell], label=cell)
        labels = [_positions(span.first, span.last) for span in spans]
        axes.set_xscale("log", base=2)
        axes.set_xticks([span.middle for span in spans], labels=labels)
    axes.set_xticks([], minor=True)
    axes.set_xlabel("characters after a start from the zero state (log axis)")
    axes.set_ylabel("nats per character (less is better)")
    axes.grid(alpha=0.3)
    _legend_above(figure, axes)
    save_figure(figure, target, dpi=DPI)


def _legend_above(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))


def _positions(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def draw_gates(gates: GateFindings, target: Path) -> None:
    """Plot the mean opening of each gate over the characters of a poem, a row a line."""
    rows = rows_of(gates.pieces)
    openings = {gate: values.numpy() for gate, values in gates.poem.openings().items()}
    figure = Figure(figsize=(11, 0.8 + 1.15 * len(rows)), layout="constrained", dpi=DPI)
    width = max(len(row) for row in rows)
    for axes, row in zip(figure.subplots(len(rows), 1, squeeze=False)[:, 0], rows, strict=True):
        for gate in GATES:
            values = openings[gate][row.start : row.stop]
            style = {"color": GATE_COLOURS[gate], "marker": GATE_MARKERS[gate]}
            axes.plot(values, **style, markersize=4, linewidth=1, label=f"{gate} gate")
        _label_row(axes, gates.pieces[row.start : row.stop], width)
    _legend_above(figure, axes)
    figure.supylabel("mean opening over the layer's units")
    save_figure(figure, target, dpi=DPI)


def _label_row(axes: Axes, pieces: list[str], width: int) -> None:
    for place, piece in enumerate(pieces):
        if piece.isspace() or piece == "<s>":
            axes.axvspan(place - 0.5, place + 0.5, color="black", alpha=0.07, linewidth=0)
    shown = [SHOWN.get(piece, piece) for piece in pieces]
    # A dollar sign is a character, not the begin of a formula.
    axes.set_xticks(range(len(shown)), labels=shown, parse_math=False, family="monospace")
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.6, width - 0.4)
    axes.set_ylim(0, 1)
    axes.set_yticks([0, 0.5, 1])
    axes.grid(axis="y", alpha=0.3)


def rows_of(pieces: list[str]) -> list[range]:
    """Break the characters of a poem into rows of a plot.

    Lines with their ends, empty lines with the line before, long ones cut.
    """
    rows: list[range] = []
    start = 0
    for place, piece in enumerate(pieces):
        following = pieces[place + 1] if place + 1 < len(pieces) else ""
        ends_line = piece == "\n" and following != "\n"
        if ends_line or place + 1 - start >= ROW_CHARACTERS or not following:
            rows.append(range(start, place + 1))
            start = place + 1
    return rows


def draw_all(study: CellStudy, folder: Path) -> None:
    """Write every plot of the cell study into `folder`."""
    draw_gradients(study.text, folder / GRADIENTS)
    draw_recall(study.recall, folder / RECALL)
    draw_cold_start(study.text, folder / COLD_START)
    draw_gates(study.gates, folder / GATE_PLOT)
