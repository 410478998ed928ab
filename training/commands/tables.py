"""Tables of figures at the terminal (rich) and in Markdown.

Knows nothing of what the figures mean.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from training.terminal_output import plain_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Table of figures; without `header` its first column names what the second holds."""

    header: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]]


def grids_of(facts: Mapping[str, object]) -> list[Grid]:
    """Lay out an evaluation's facts as tables: plain ones, by document, and text statistics."""
    plain = [
        (_named(key), format_figure(value))
        for key, value in facts.items()
        if isinstance(value, int | float)
    ]
    grids = [Grid(rows=plain)]
    if isinstance(documents := facts.get("per_document"), list):
        grids.append(_by_document(documents))
    if isinstance(form := facts.get("form"), Mapping):
        grids.append(_side_by_side(form))
    return grids


def _by_document(documents: Sequence[Mapping[str, object]]) -> Grid:
    keys = ("title", "characters", "bits_per_character")
    rows = [tuple(format_figure(document[key]) for key in keys) for document in documents]
    return Grid(header=("document", "characters", "bits per character"), rows=rows)


def _side_by_side(sides: Mapping[str, Mapping[str, object]]) -> Grid:
    columns = [_flat(side) for side in sides.values()]
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [(name, *(column.get(name, "-") for column in columns)) for name in names]
    return Grid(header=("form", *map(_named, sides)), rows=rows)


def _flat(facts: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    """Flatten nested facts into one level of names; those of a list are counted from 1."""
    found: dict[str, str] = {}
    for key, value in facts.items():
        name = f"{prefix}{_named(key)}"
        if isinstance(value, list | tuple):
            counted = {str(number): each for number, each in enumerate(value, start=1)}
            found |= _flat(counted, f"{name} ")
        elif isinstance(value, Mapping):
            found |= _flat(value, f"{name} ")
        else:
            found[name] = format_figure(value)
    return found


def _named(key: str) -> str:
    return key.replace("_", " ")


def format_figure(value: object) -> str:
    """Format a figure for people; a dash where there is none."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def print_grids(grids: Sequence[Grid], console: Console) -> None:
    """Print tables at the terminal."""
    for grid in grids:
        table = Table(*grid.header, show_header=bool(grid.header))
        for row in grid.rows:
            table.add_row(*map(plain_text, row))
        console.print(table)


def markdown(title: str, grids: Sequence[Grid]) -> str:
    """Format tables as a Markdown page."""
    lines = [f"# {title}"]
    for grid in grids:
        header = grid.header or ("figure", "value")
        lines += ["", _line(header), _line(["---"] * len(header)), *map(_line, grid.rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " / ")
