"""Helpers for tests of runs: a small corpus, its command lines, and the line of a refusal."""

import json
import os
import signal
import threading
from pathlib import Path

import pytest
from forked import Forked
from waiting import wait_until

from training.__main__ import main
from training.flag_names import flag_of
from training.train_config import ANTHOLOGY

SMALL = {
    "embedding_size": 8,
    "hidden_size": 16,
    "batch_size": 4,
    "sequence_length": 16,
    "dropout": 0.3,
    "evaluations": 4,
    "evaluation_tokens": 500,
    "patience": 0,
    "device": "cpu",
    "threads": 1,
}


def small_corpus(tmp_path: Path) -> Path:
    """A tenth of the anthology, so that runs have several epochs."""
    path = tmp_path / "poems.txt"
    path.write_text(ANTHOLOGY.read_text(encoding="utf-8")[:16_000], encoding="utf-8")
    return path


def arguments(corpus: Path, name: str | None, **changes: object) -> list[str]:
    """The command line of a small run beside `corpus`; a field that is None is left out."""
    home = corpus.parent
    fields = {
        **SMALL,
        "corpus": corpus,
        "name": name,
        "runs_dir": home / "runs",
        "checkpoints_dir": home / "checkpoints",
        **changes,
    }
    flags = [
        (flag_of(key), *(() if value is True else (str(value),)))
        for key, value in fields.items()
        if value is not None
    ]
    return ["train", *(part for flag in flags for part in flag)]


def with_stdin(args: list[str]) -> list[str]:
    """Arguments of a command that reads its corpus from standard input instead."""
    at = args.index("--corpus") + 1
    return [*args[:at], "-", *args[at + 1 :]]


def resuming(corpus: Path, name: str) -> list[str]:
    return ["train", "--resume", "--name", name, "--runs-dir", str(corpus.parent / "runs")]


def spawn(args: list[str]) -> Forked:
    """The command in a process of its own, its standard input open and silent."""
    return Forked(["-m", "training", *args])


def saved_step(corpus: Path, name: str) -> int:
    path = corpus.parent / "runs" / name / "last" / "progress.json"
    try:
        return int(json.loads(path.read_text())["step"])
    except (FileNotFoundError, NotADirectoryError):
        return 0


def edit(path: Path, **fields: object) -> None:
    """Change fields of a JSON file."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def save_seldom(corpus: Path, name: str) -> None:
    """Let a run that was to save all the time, so that it could be cut, go on without that."""
    edit(corpus.parent / "runs" / name / "config.json", save_seconds=1000)


def stopped_after(corpus: Path, name: str, args: list[str], step: int) -> None:
    """Run the command here, saving all the time, and send SIGTERM once `step` has been saved.

    When it is resumed it saves at its end only.
    """

    def stop() -> None:
        wait_until(lambda: saved_step(corpus, name) > step)
        os.kill(os.getpid(), signal.SIGTERM)

    # Should the run be over before the signal comes, it must not end the tests.
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    watcher = threading.Thread(target=stop)
    watcher.start()
    try:
        assert main([*args, "--save-seconds", "0.001"]) == 128 + signal.SIGTERM
    finally:
        watcher.join()
        signal.signal(signal.SIGTERM, before)
    save_seldom(corpus, name)


def refusal(capsys: pytest.CaptureFixture[str], args: list[str]) -> str:
    capsys.readouterr()
    assert main(args) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    return lines[0]
