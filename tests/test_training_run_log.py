"""Run log: lines that survive a crash, and a progress bar that fits the terminal."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)

from training.run_log import METRICS, Display, RunLog, read_metrics


def write_steps(folder: Path, steps: range, *, from_step: int = 0) -> None:
    with RunLog(folder, from_step=from_step) as log:
        for step in steps:
            log.write(step, train_nats=step / 10)


def test_a_resumed_log_goes_on_after_the_step_of_the_state(tmp_path: Path) -> None:
    write_steps(tmp_path, range(1, 8))
    write_steps(tmp_path, range(6, 10), from_step=5)
    assert [line["step"] for line in read_metrics(tmp_path)] == list(range(1, 10))


def test_tensorboard_keeps_the_step_of_the_state(tmp_path: Path) -> None:
    write_steps(tmp_path, range(1, 8))
    write_steps(tmp_path, range(6, 10), from_step=5)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("train/nats")] == list(range(1, 10))


@pytest.mark.parametrize("damage", [b'{"step": 3, "tr', b"\xff\xfe", b"\0\0\0", b"7", b"{}"])
def test_a_line_that_a_crash_spoilt_is_left_out(tmp_path: Path, damage: bytes) -> None:
    write_steps(tmp_path, range(1, 3))
    with (tmp_path / METRICS).open("ab") as file:
        file.write(damage)
    write_steps(tmp_path, range(3, 5), from_step=2)
    assert [line["step"] for line in read_metrics(tmp_path)] == [1, 2, 3, 4]


def on_terminal(buffer: io.StringIO) -> Console:
    return Console(file=buffer, force_terminal=True, width=80, color_system=None)


def test_the_bar_fits_into_80_columns_and_shows_the_whole_run() -> None:
    shown = io.StringIO()
    with Display(on_terminal(shown), done=0.5) as display:
        display.advance(step=123_456, progress=0.75)
        display.show(nats=1.2345, speed=123_456.7)
    text = shown.getvalue()
    assert "75%" in text
    assert "loss 1.234  1.781 bpc  123,457 chars/s" in text
    assert " left" in text
    assert "\u2026" not in text


def test_before_the_first_figures_the_bar_shows_none() -> None:
    shown = io.StringIO()
    with Display(on_terminal(shown), done=0.0):
        pass
    assert "loss -" in shown.getvalue()
    assert "nan" not in shown.getvalue()


def test_a_long_line_is_not_broken() -> None:
    shown = io.StringIO()
    with Display(Console(file=shown, width=40), done=0.0) as display:
        display.say("word " * 30)
    assert shown.getvalue().count("\n") == 1
