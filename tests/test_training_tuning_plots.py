"""Plots of a search: marks at whole trials, and labels that can be read."""

import io
from itertools import pairwise

import optuna
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial

from training.tuning.tuning_plots import (
    plot_history,
    plot_importances,
    plot_slices,
    plot_validations,
)


def trials(count: int) -> list[FrozenTrial]:
    """Complete trials of a study with every kind of field."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(1))

    def loss(trial: optuna.Trial) -> float:
        trial.suggest_float("learning_rate", 0.00123, 0.0145, log=True)
        trial.suggest_float("dropout", 0.0, 0.65)
        trial.suggest_int("hidden_size", 64, 16_384, log=True)
        trial.suggest_int("num_layers", 1, 2)
        trial.suggest_categorical("schedule", ["cosine", "step", "plateau", "constant"])
        trial.suggest_categorical("batch_size", [2**n for n in range(17)])
        trial.suggest_categorical("tied", [True, False])
        for step in range(1, 4):
            trial.report(2.0 / step, step)
        return 1.0 / (1 + trial.number)

    study.optimize(loss, count)
    return study.get_trials()


def drawn(figure: Figure) -> list[Axes]:
    figure.set_canvas(FigureCanvasAgg(figure))
    figure.savefig(io.BytesIO(), dpi=120)
    return [axes for axes in figure.axes if axes.get_visible()]


def assert_readable(axes: Axes) -> None:
    """No label of the horizontal axis reaches into the next one, and none is said twice."""
    low, high = sorted(axes.get_xlim())
    ticks = [tick for tick in axes.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
    ticks += axes.xaxis.get_minor_ticks()
    labels = [tick.label1 for tick in ticks if tick.label1.get_text()]
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
    assert boxes
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
    assert len({label.get_text() for label in labels}) == len(labels)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_trials_and_validations_are_marked_at_whole_numbers(count: int) -> None:
    for figure in (plot_history(trials(count)), plot_validations(trials(count))):
        (axes,) = drawn(figure)
        assert_readable(axes)
        assert all(float(place).is_integer() for place in axes.get_xticks())


def test_no_label_of_a_field_reaches_into_the_next() -> None:
    made = trials(5)
    panels = drawn(plot_slices(made, list(made[0].params)))
    assert [axes.get_title() for axes in panels] == list(made[0].params)
    for axes in panels:
        assert_readable(axes)


def test_importances_are_plotted_by_field() -> None:
    (axes,) = drawn(plot_importances({"busy": 0.9, "idle": 0.1}))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["busy", "idle"]
