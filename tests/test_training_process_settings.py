"""OpenMP's spinning limit, set by training's commands unless the user says otherwise."""

import os
import subprocess
import sys

import pytest

from training.process_settings import SPIN_COUNT, WAIT_VARIABLES, limit_spinning


def test_the_limit_is_set_where_nobody_has_chosen() -> None:
    environment = {"OMP_NUM_THREADS": "2"}
    limit_spinning(environment)
    assert environment == {"OMP_NUM_THREADS": "2", "GOMP_SPINCOUNT": str(SPIN_COUNT)}


@pytest.mark.parametrize(
    "chosen", [{"GOMP_SPINCOUNT": "5"}, {"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": ""}]
)
def test_what_the_user_has_set_stands(chosen: dict[str, str]) -> None:
    environment = dict(chosen)
    limit_spinning(environment)
    assert environment == chosen


@pytest.fixture(scope="module")
def said_at_start() -> list[str]:
    """What libgomp says that it has read, and Python what it imports, at the start of a command."""
    environment = {name: value for name, value in os.environ.items() if name not in WAIT_VARIABLES}
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "training", "train", "--help"],
        capture_output=True,
        text=True,
        env={**environment, "OMP_DISPLAY_ENV": "verbose"},
        check=True,
    )
    return [line.strip() for line in ended.stderr.splitlines()]


@pytest.mark.skipif(sys.platform != "linux", reason="torch comes with libgomp on Linux only")
def test_training_sets_the_limit_before_the_library_is_loaded(said_at_start: list[str]) -> None:
    counts = {line for line in said_at_start if "GOMP_SPINCOUNT" in line}
    assert counts == {f"GOMP_SPINCOUNT = '{SPIN_COUNT}'"}


def test_a_command_does_not_wait_for_what_only_others_import(said_at_start: list[str]) -> None:
    imported = {line.rpartition("|")[2].strip() for line in said_at_start}
    assert "training.run" in imported
    assert not imported & {"optuna", "training.tuning.search", "training.cell_study.cell_study_run"}
