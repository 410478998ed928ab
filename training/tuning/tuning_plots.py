"""Plots of a hyperparameter search: losses by trial, validation and field; importances.

Knows nothing of training: trials come in.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState

from training.figure_file import mark_whole_numbers

NATS = "nats per character"
COLUMNS = 4
MARKS = 4  # on an axis of a quarter of the width
ROW_CHARACTERS, COLUMN_LINES = 28, 12  # labels that have room side by side, and upright


def plot_history(trials: Sequence[FrozenTrial]) -> Figure:
    """Plot the loss of each complete trial, and the best so far."""
    figure, axes = _figure(7, 4)
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    numbers = [trial.number for trial in complete]
    losses = [trial.values[0] for trial in complete]
    axes.plot(numbers, losses, "o", label="trial")
    axes.step(numbers, list(accumulate(losses, min)), where="post", label="best so far")
    axes.set_xlabel("trial")
    mark_whole_numbers(axes.xaxis)
    axes.set_ylabel(NATS)
    axes.legend()
    return figure


def plot_validations(trials: Sequence[FrozenTrial]) -> Figure:
    """Plot each trial's losses while it ran; grey where it was pruned, cut short or is running."""
    figure, axes = _figure(7, 4)
    for trial in trials:
        points = sorted(trial.intermediate_values.items())
        is_complete = trial.state == TrialState.COMPLETE
        style = {"color": "tab:blue", "alpha": 0.7} if is_complete else {"color": "silver"}
        axes.plot([step for step, _ in points], [loss for _, loss in points], ".-", **style)
    axes.set_xlabel("validation")
    mark_whole_numbers(axes.xaxis)
    axes.set_ylabel(NATS)
    return figure


def plot_slices(trials: Sequence[FrozenTrial], fields: Sequence[str]) -> Figure:
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
    return figure


def _slice(axes: Axes, complete: Sequence[FrozenTrial], field: str) -> None:
    axes.set_title(field)
    axes.grid(alpha=0.3)
    if not complete:
        return
    distribution = complete[0].distributions[field]
    values = [trial.params[field] for trial in complete]
    if (choices := getattr(distribution, "choices", None)) is not None:
        _mark_choices(axes, [str(choice) for choice in choices])
        values = [choices.index(value) for value in values]
    elif isinstance(distribution, FloatDistribution | IntDistribution):
        _mark_range(axes, distribution)
    numbers = [trial.number for trial in complete]
    losses = [trial.values[0] for trial in complete]
    axes.scatter(values, losses, c=numbers, cmap="Blues", edgecolors="grey")


def _mark_choices(axes: Axes, names: Sequence[str]) -> None:
    """Mark the axis of choices; upright where they are long, and some of them where many."""
    is_wide = sum(map(len, names)) + len(names) > ROW_CHARACTERS
    places = range(0, len(names), -(-len(names) // COLUMN_LINES))
    labels = [names[place] for place in places]
    axes.set_xticks(places, labels, rotation="vertical" if is_wide else "horizontal")


def _mark_range(axes: Axes, field: FloatDistribution | IntDistribution) -> None:
    """Mark the axis of a range at so few places that their labels have room."""
    if field.log:
        axes.set_xscale("log")
    places = (np.geomspace if field.log else np.linspace)(field.low, field.high, MARKS)
    if isinstance(field, IntDistribution):
        whole = sorted({round(place) for place in places})
        axes.set_xticks(whole, [str(place) for place in whole])
    else:
        axes.set_xticks(places, [f"{place:.3g}" for place in places])
    axes.minorticks_off()


def plot_importances(importances: Mapping[str, float]) -> Figure:
    """Plot the importance of each field."""
    figure, axes = _figure(7, 1 + 0.4 * len(importances))
    axes.barh(list(importances), list(importances.values()))
    axes.invert_yaxis()
    axes.set_xlabel("share")
    return figure


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.grid(alpha=0.3)
    return figure, axes
