"""Figure files: a plot becomes a PNG, and an axis of counted things is marked by whole numbers.

Knows nothing of what is plotted.
"""

from pathlib import Path

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from model.atomic_write import naming

DPI = 120


def save_figure(figure: Figure, target: Path, *, dpi: int = DPI) -> None:
    """Write a figure as a PNG. Raises OSError, which names the file."""
    with naming(target):
        figure.savefig(target, dpi=dpi)


def mark_whole_numbers(axis: Axis) -> None:
    """Mark an axis of trials, steps or validations at whole numbers only."""
    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
