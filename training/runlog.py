"""What a run tells while it runs: metrics.jsonl, TensorBoard, and a line or bar at the terminal.

Losses are given per character of the text (nats and bits), whatever a token is.
Knows nothing of networks: numbers and texts come in.
"""

import json
import math
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text
from torch.utils.tensorboard import SummaryWriter

METRICS = "metrics.jsonl"
LOG_EVERY_STEPS = 10


class RunLog:
    """Writes the metrics of one run; on resume it goes on after `from_step`."""

    def __init__(self, folder: Path, *, from_step: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _forget_later_lines(folder / METRICS, from_step)
        self._file: TextIO = (folder / METRICS).open("a", encoding="utf-8")
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=from_step)

    def write(self, step: int, **values: float | str) -> None:
        """One line of metrics.jsonl, and a TensorBoard scalar (or text) for each value."""
        self._file.write(json.dumps({"step": step, **values}) + "\n")
        self._file.flush()
        for name, value in values.items():
            if isinstance(value, str):
                self._board.add_text(name, f"```\n{value}\n```", step)
            else:
                self._board.add_scalar(name.replace("_", "/", 1), value, step)

    def close(self) -> None:
        """Flush everything to disk."""
        self._file.close()
        self._board.close()


def read_metrics(folder: Path) -> list[dict[str, float]]:
    """The lines of a run's metrics.jsonl; a last line that a crash cut short is left out."""
    path = folder / METRICS
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [parsed for line in lines if (parsed := _parsed(line)) is not None]


def _parsed(line: str) -> dict[str, float] | None:
    try:
        value: dict[str, float] = json.loads(line)
    except ValueError:
        return None
    return value


def _forget_later_lines(path: Path, from_step: int) -> None:
    """Drop what a run wrote after the state that it is resumed from: it will be written again."""
    kept = [line for line in read_metrics(path.parent) if line["step"] <= from_step]
    if path.is_file():
        path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")


class _Remaining(ProgressColumn):
    """Time left, from the share of the budget that is spent."""

    def render(self, task: Task) -> Text:
        elapsed = task.elapsed if task.elapsed is not None else 0.0
        if not task.completed:
            return Text("--:-- left")
        seconds = round(elapsed * (1 - task.completed) / task.completed)
        return Text(f"{seconds // 60:02d}:{seconds % 60:02d} left")


class Display:
    """The run at the terminal: a bar where there is one, else a line at each validation."""

    def __init__(self, console: Console, *, done: float) -> None:
        self._console = console
        self._first = done
        self._bar = Progress(
            TextColumn("step {task.fields[step]}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f}%"),
            TextColumn("loss {task.fields[nats]:.3f} nats ({task.fields[bits]:.3f} bpc)"),
            TextColumn("{task.fields[speed]:,.0f} chars/s"),
            _Remaining(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task(
            "train", total=1.0, step=0, nats=math.nan, bits=math.nan, speed=0.0
        )
        self._bar.start()

    def update(self, *, step: int, progress: float, nats: float, speed: float) -> None:
        """Move the bar. `nats` per character, `speed` in characters a second."""
        share = (progress - self._first) / (1 - self._first) if self._first < 1 else 1.0
        bits = nats / math.log(2)
        self._bar.update(self._task, completed=share, step=step, nats=nats, bits=bits, speed=speed)

    def say(self, line: str) -> None:
        """A line that stays, above the bar."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bar away."""
        self._bar.stop()
