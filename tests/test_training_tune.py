"""Searches: trials are runs, a study is gone on with and shared, and what it leaves is true."""

import os
import re
import shlex
import signal
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import optuna
import pytest
from optuna.study import Study
from optuna.trial import TrialState
from training_runs import small_corpus, spawn
from tuning import SPACE, STEPS, copied, study_folder, trials_in, tune
from waiting import wait_until

from model import checkpoint as checkpoints
from training.__main__ import main
from training.run_folder import read_config
from training.run_log import read_metrics
from training.train_config import resolve
from training.tuning.optuna_study import FACTS, connected, database_url, open_study
from training.tuning.trial_sampler import NumberedSampler
from training.tuning.tuning_report import importances_of

TRIALS = 5


def home_in(folder: Path) -> Path:
    small_corpus(folder)
    (folder / "space.toml").write_text(SPACE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of some trials; not to be changed."""
    home = home_in(tmp_path_factory.mktemp("searched"))
    assert main(tune(home, trials=TRIALS)) == 0
    return home


def run_of(home: Path, number: int) -> Path:
    return study_folder(home) / "runs" / f"trial-{number:04d}"


def figures(run: Path) -> list[tuple[float, float]]:
    """Step and loss of every measuring of a run, the last one over the best checkpoint."""
    return [
        (line["step"], line[name])
        for line in read_metrics(run)
        for name in ("valid_nats", "final_nats")
        if name in line
    ]


def best_number(home: Path) -> int:
    complete = [trial for trial in trials_in(home) if trial.state == TrialState.COMPLETE]
    return min(complete, key=lambda trial: trial.values[0]).number


def test_the_first_trial_is_the_preset_itself(searched: Path) -> None:
    preset = resolve("tiny", {})
    first = trials_in(searched)[0].params
    assert first == {name: getattr(preset, name) for name in first}


def test_the_commands_in_the_report_repeat_the_best_trial(searched: Path, tmp_path: Path) -> None:
    page = (study_folder(searched) / "report" / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^strophe (train .*)$", page, flags=re.MULTILINE)
    assert len(lines) == 2
    places = ["--runs-dir", str(tmp_path / "runs"), "--checkpoints-dir", str(tmp_path / "served")]
    for name, line in zip(("flags", "preset"), lines, strict=True):
        machine = ["--name", name, "--device", "cpu", "--threads", "1"]
        assert main([*shlex.split(line), *places, *machine]) == 0
        direct = figures(tmp_path / "runs" / name)
        number = best_number(searched)
        assert direct == figures(run_of(searched, number))
        assert direct[-1][1] == trials_in(searched)[number].value


def test_a_hopeless_trial_is_stopped_early(searched: Path) -> None:
    last_steps: dict[TrialState, list[float]] = {}
    for trial in trials_in(searched):
        steps = [step for step, _ in figures(run_of(searched, trial.number))]
        last_steps.setdefault(trial.state, []).append(max(steps))
    assert set(last_steps) == {TrialState.COMPLETE, TrialState.PRUNED}
    assert set(last_steps[TrialState.COMPLETE]) == {STEPS}
    assert max(last_steps[TrialState.PRUNED]) < STEPS


def test_a_study_keeps_one_checkpoint_and_no_states(searched: Path) -> None:
    folder = study_folder(searched)
    kept = list((folder / "checkpoints").iterdir())
    assert [path.name for path in kept] == [f"trial-{best_number(searched):04d}"]
    checkpoints.load(kept[0])
    assert not list(folder.glob("runs/*/last"))
    assert not (searched / "checkpoints").exists()


def test_the_report_shows_every_trial_and_every_plot(searched: Path) -> None:
    report = study_folder(searched) / "report"
    page = (report / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^\| \d+ \| (?:complete|pruned) \|", page, re.MULTILINE)) == TRIALS
    for name in re.findall(r"\]\((\w+\.png)\)", page):
        assert (report / name).read_bytes().startswith(b"\x89PNG")


def test_going_on_adds_trials_and_begins_again_those_that_were_lost(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = copied(searched, tmp_path)
    before = trials_in(home)
    data = {path: path.stat().st_mtime_ns for path in (study_folder(home) / "data").iterdir()}
    lost = "update trials set state = 'RUNNING', datetime_complete = null where number = 1"
    dead = (
        "insert or replace into trial_heartbeats (trial_id, heartbeat) "
        "select trial_id, '2001-01-01' from trials where number = 1"
    )
    database = sqlite3.connect(study_folder(home) / "study.db")
    with database:
        database.execute(lost)
        database.execute("delete from trial_heartbeats")
        database.execute(dead)
    database.close()
    assert main(tune(home, trials=1)) == 0
    lost_words = "trial 1: no sign of life of its process for 120 s; it will be begun again"
    assert capsys.readouterr().err.count(lost_words) == 1
    after = trials_in(home)
    assert len(after) == TRIALS + 1
    for old, new in zip(before, after, strict=False):
        assert (new.params, new.intermediate_values) == (old.params, old.intermediate_values)
        assert new.state == (TrialState.FAIL if old.number == 1 else old.state)
    assert after[TRIALS].params == before[1].params
    assert {path: path.stat().st_mtime_ns for path in data} == data  # prepared only once
    page = (study_folder(home) / "report" / "README.md").read_text(encoding="utf-8")
    assert "| 1 | cut short |" in page


def test_a_signal_ends_a_search_in_good_order(tmp_path: Path) -> None:
    home = home_in(tmp_path)

    def stop() -> None:
        wait_until(lambda: bool(figures(run_of(home, 0))))
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    watcher = threading.Thread(target=stop)
    watcher.start()
    try:
        assert main(tune(home, evaluations=10_000, steps=100_000)) == 128 + signal.SIGTERM
    finally:
        watcher.join()
        signal.signal(signal.SIGTERM, before)
    cut, waiting = trials_in(home)
    assert (cut.state, waiting.state) == (TrialState.FAIL, TrialState.WAITING)
    assert waiting.system_attrs["fixed_params"] == cut.params
    assert "No trial has come to its end" in (
        (study_folder(home) / "report" / "README.md").read_text(encoding="utf-8")
    )
    assert not list((study_folder(home) / "checkpoints").iterdir())


def test_a_field_that_does_nothing_matters_less() -> None:
    study = optuna.create_study(sampler=NumberedSampler(1))
    assert importances_of(study) == {}

    def loss(trial: optuna.Trial) -> float:
        trial.suggest_float("idle", 0, 1)
        return trial.suggest_float("busy", 0, 1) ** 2

    study.optimize(loss, 30)
    shares = importances_of(study)
    assert shares["busy"] > 2 * shares["idle"]


def test_two_processes_share_a_study(tmp_path: Path) -> None:
    home = home_in(tmp_path)
    other = spawn(tune(home, trials=2, steps=4, evaluations=1))
    wait_until(lambda: run_of(home, 0).exists())
    assert main(tune(home, trials=1, steps=4, evaluations=1)) == 0
    _, said = other.communicate(timeout=60)
    assert other.returncode == 0, said
    trials = trials_in(home)
    assert [trial.number for trial in trials] == [0, 1, 2]
    assert all(trial.state == TrialState.COMPLETE for trial in trials)
    assert len({str(trial.params) for trial in trials}) == 3
    assert len(list((study_folder(home) / "checkpoints").iterdir())) == 1


def test_an_impossible_trial_is_left_out_and_the_search_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path)
    space = home / "space.toml"
    space.write_text("batch_size = {choices = [4, 60_000, 50_000, 40_000]}", encoding="utf-8")
    assert main(tune(home, trials=4, batch_size=None, steps=2, preset=str(preset(home, 4)))) == 0
    assert "left out: " in capsys.readouterr().err
    folder = home / "searches" / "mine"
    page = (folder / "report" / "README.md").read_text(encoding="utf-8")
    assert "| 0 | complete |" in page
    left_out = re.findall(r"^\| (\d) \| left out: .*too few for batch_size", page, re.MULTILINE)
    assert left_out
    assert not any((folder / "runs" / f"trial-000{number}").exists() for number in left_out)


def preset(home: Path, batch_size: int) -> Path:
    path = home / "mine.toml"
    path.write_text(f"batch_size = {batch_size}\nsteps = 5\n", encoding="utf-8")
    return path


def test_where_no_trial_is_possible_the_last_reason_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = home_in(tmp_path)
    space = home / "space.toml"
    space.write_text("batch_size = {choices = [60_000, 50_000]}", encoding="utf-8")
    assert main(tune(home, trials=1, batch_size=None)) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert re.match(r"error: study tiny: no trial came to its end .*too few for batch_size", last)


def test_a_prepared_corpus_is_read_where_it_lies(searched: Path, tmp_path: Path) -> None:
    home = home_in(tmp_path)
    data = study_folder(searched) / "data"
    assert main(tune(home, trials=1, steps=2, corpus=data)) == 0
    assert not (study_folder(home) / "data").exists()
    assert read_config(run_of(home, 0)).corpus == (str(data),)


def test_a_search_takes_a_time_instead_of_a_number_and_reports_at_any_time(
    searched: Path, tmp_path: Path
) -> None:
    home = copied(searched, tmp_path)
    report = study_folder(home) / "report" / "README.md"
    report.unlink()
    assert main(tune(home, timeout=1e-9)) == 0
    written = report.read_text(encoding="utf-8")
    assert len(trials_in(home)) == TRIALS
    report.unlink()
    assert main(["tune", "--report", "--out", str(home / "searches")]) == 0
    assert report.read_text(encoding="utf-8") == written


def test_who_opens_a_study_that_another_machine_is_creating_waits_and_adds_no_first_trial(
    tmp_path: Path,
) -> None:
    """The lock of the study's folder is of one machine; the storage is what machines share."""
    facts: dict[str, object] = {"fields": {}, "space": {}, "text": {}}
    first = {"learning_rate": 0.1}

    def open_here() -> Study:
        return open_study(storage, "shared", facts, resolve("tiny", {}), [], first=first)

    url = database_url(tmp_path / "study.db")
    with connected(url, print) as storage, ThreadPoolExecutor() as here:
        theirs = optuna.create_study(storage=storage, study_name="shared")
        opening = here.submit(open_here)
        assert not wait([opening], timeout=0.5).done
        theirs.enqueue_trial(first)
        theirs.set_user_attr(FACTS, facts)
        assert [trial.system_attrs["fixed_params"] for trial in opening.result().trials] == [first]
        alone = open_study(storage, "own", facts, resolve("tiny", {}), [], first=first)
        assert [trial.system_attrs["fixed_params"] for trial in alone.trials] == [first]
