"""Plots of a hyperparameter search as PNG: losses by trial, validation and field; importances.

Knows nothing of training: trials come in.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial, TrialState

NATS = "nats per character"
COLUMNS = 4


def draw_history(trials: Sequence[FrozenTrial], target: Path) -> None:
    """Plot the loss of each complete trial, and the best so far."""
    figure, axes = _figure(7, 4)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    numbers = [trial.number for trial in complete]
    losses = [trial.values[0] for trial in complete]
    axes.plot(numbers, losses, "o", label="trial")
    axes.step(numbers, list(accumulate(losses, min)), where="post", label="best so far")
    axes.set_xlabel("trial")
    axes.set_ylabel(NATS)
    axes.legend()
    figure.savefig(target, dpi=120)


def draw_validations(trials: Sequence[FrozenTrial], target: Path) -> None:
    """Plot each trial's losses while it ran; grey where it was pruned, cut short or is running."""
    figure, axes = _figure(7, 4)
    for trial in trials:
        points = sorted(trial.intermediate_values.items())
        is_complete = trial.state == TrialState.COMPLETE
        style = {"color": "tab:blue", "alpha": 0.7} if is_complete else {"color": "silver"}
        axes.plot([step for step, _ in points], [loss for _, loss in points], ".-", **style)
    axes.set_xlabel("validation")
    axes.set_ylabel(NATS)
    figure.savefig(target, dpi=120)


def draw_slices(trials: Sequence[FrozenTrial], fields: Sequence[str], target: Path) -> None:
    """Plot the loss of each complete trial by each field, later trials darker."""
    rows = -(-len(fields) // COLUMNS)
    columns = min(len(fields), COLUMNS)
    figure = Figure(figsize=(3 * columns + 1, 3 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False).flatten()
    for axes, field in zip(grid, fields, strict=False):
        _slice(axes, [t for t in trials if t.state == TrialState.COMPLETE], field)
    for axes in grid[len(fields) :]:
        axes.set_visible(False)
    figure.supylabel(NATS)
    figure.savefig(target, dpi=120)


def _slice(axes: Axes, complete: Sequence[FrozenTrial], field: str) -> None:
    axes.set_title(field)
    axes.grid(alpha=0.3)
    if not complete:
        return
    distribution = complete[0].distributions[field]
    values = [trial.params[field] for trial in complete]
    if (choices := getattr(distribution, "choices", None)) is not None:
        axes.set_xticks(range(len(choices)), [str(choice) for choice in choices])
        values = [choices.index(value) for value in values]
    elif getattr(distribution, "log", False):
        axes.set_xscale("log")
    numbers = [trial.number for trial in complete]
    losses = [trial.values[0] for trial in complete]
    axes.scatter(values, losses, c=numbers, cmap="Blues", edgecolors="grey")


def draw_importances(importances: Mapping[str, float], target: Path) -> None:
    """Plot the importance of each field; no file where there are none."""
    if not importances:
        target.unlink(missing_ok=True)
        return
    figure, axes = _figure(7, 1 + 0.4 * len(importances))
    axes.barh(list(importances), list(importances.values()))
    axes.invert_yaxis()
    axes.set_xlabel("share")
    figure.savefig(target, dpi=120)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.grid(alpha=0.3)
    return figure, axes
