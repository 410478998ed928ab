"""Log of a run: metrics.jsonl, TensorBoard, and a progress bar or lines at the terminal.

Losses are given per character of the text (nats and bits), whatever a token is.
Knows nothing of networks: numbers and texts come in.
"""

import json
import math
import threading
from pathlib import Path
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text
from torch.utils.tensorboard import SummaryWriter

from model.atomic_write import naming, write_file
from model.regular_file import open_regular
from training.terminal_output import say

METRICS = "metrics.jsonl"
LOG_EVERY_STEPS = 10
FINAL = "final_nats"  # what is measured last


class Log:
    """Log that keeps nothing: for the processes that do not write."""

    def write(self, step: int, **values: float | str) -> None:
        """Take what was measured at a step."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close nothing: nothing is open."""


class RunLog(Log):
    """Log of one run's metrics on disk; on resume it goes on after `from_step`."""

    def __init__(self, folder: Path, *, from_step: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path, self._board_path = folder / METRICS, folder / "tensorboard"
        _forget_later_lines(folder / METRICS, from_step)
        self._file: TextIO = open(  # noqa: SIM115 - closed by __exit__
            folder / METRICS, "a", encoding="utf-8", opener=open_regular
        )
        with naming(self._board_path):
            self._board = SummaryWriter(str(self._board_path), purge_step=from_step + 1)

    def write(self, step: int, **values: float | str) -> None:
        """Write one line of metrics.jsonl, and a TensorBoard scalar (or text) for each value."""
        with naming(self._path):
            self._file.write(json.dumps({"step": step, **values}) + "\n")
            self._file.flush()
        with naming(self._board_path):
            for name, value in values.items():
                if isinstance(value, str):
                    self._board.add_text(name, f"```\n{value}\n```", step)
                else:
                    self._board.add_scalar(name.replace("_", "/", 1), value, step)

    def __enter__(self) -> Self:
        threading.excepthook = _pass_over_os_errors
        return self

    def __exit__(self, *_: object) -> None:
        try:
            with naming(self._path):
                self._file.close()
            with naming(self._board_path):
                self._board.close()
        finally:
            threading.excepthook = threading.__excepthook__


def _pass_over_os_errors(failure: threading.ExceptHookArgs) -> None:
    """Show no traceback of TensorBoard's thread for a full disk: the next write raises it."""
    if not issubclass(failure.exc_type, OSError):
        threading.__excepthook__(failure)


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """Read a run's metrics.jsonl; a last line that a crash cut short is left out."""
    path = folder / METRICS
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    lines = text.splitlines()
    return [parsed for line in lines if (parsed := _parsed(line)) is not None]


def has_finished(folder: Path) -> bool:
    """Check whether a run has come to its end: its best checkpoint has been measured."""
    return any(FINAL in line for line in read_metrics(folder))


def _parsed(line: str) -> dict[str, float] | None:
    try:
        value: object = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "step" in value else None


def _forget_later_lines(path: Path, from_step: int) -> None:
    """Drop the lines after the state that a run is resumed from: they will be written again."""
    kept = [line for line in read_metrics(path.parent) if line["step"] <= from_step]
    if path.is_file():
        write_file(path, "".join(json.dumps(line) + "\n" for line in kept))


class _Remaining(ProgressColumn):
    """Column of the time left, from the share of the budget that this session has spent."""

    def render(self, task: Task) -> Text:
        elapsed = task.elapsed if task.elapsed is not None else 0.0
        spent = task.completed - task.fields["first"]
        if spent <= 0:
            return Text("--:-- left")
        minutes, seconds = divmod(round(elapsed * (1 - task.completed) / spent), 60)
        return Text(f"{minutes:02d}:{seconds:02d} left")


class Display:
    """Terminal display of a run: a progress bar where there is one, else a line a validation."""

    def __init__(self, console: Console, *, done: float) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("step {task.fields[step]}"),
            BarColumn(bar_width=14),  # with it a line fits into 80 columns
            TextColumn("{task.percentage:3.0f}%"),
            TextColumn("{task.fields[figures]}"),
            _Remaining(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("train", total=1, first=done, step="-", figures="loss -")
        self._bar.update(self._task, completed=done)

    def advance(self, *, step: int, progress: float) -> None:
        """Move the progress bar."""
        self._bar.update(self._task, completed=progress, step=step)

    def show(self, *, nats: float, speed: float) -> None:
        """Show loss (`nats` per character) and `speed` (characters a second) beside the bar."""
        figures = f"loss {nats:.3f}  {nats / math.log(2):.3f} bpc  {speed:,.0f} chars/s"
        self._bar.update(self._task, figures=figures)

    def show_finishing(self) -> None:
        """Show, in place of the figures, that the best checkpoint is being measured."""
        self._bar.update(self._task, figures="measuring the best checkpoint")

    def say(self, line: str) -> None:
        """Print a line that stays, above the bar."""
        say(self._console, line)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
