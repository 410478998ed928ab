"""Refusals of a search: in one line, and all is left as it was."""

import shutil
from pathlib import Path

import optuna
import pytest
from training_runs import refusal, small_corpus
from tuning import SPACE, copied, study_folder, trials_in, tune

from training.__main__ import main
from training.training_errors import RunError
from training.tuning.optuna_study import connected, database_url


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of one trial; not to be changed."""
    home = tmp_path_factory.mktemp("searched")
    small_corpus(home)
    (home / "space.toml").write_text(SPACE, encoding="utf-8")
    assert main(tune(home, trials=1, steps=2)) == 0
    return home


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 3}, "study tiny was begun with another steps"),
        ({"steps": None, "epochs": 1}, "begun with another epochs, steps"),
        ({"preset": "small"}, "study tiny was begun with another averaging, preset, "),
        ({"corpus": "other.txt"}, "was prepared from another text"),
        ({"split": "contiguous"}, "was prepared from another text, or with other options"),
        ({"space": "other.toml"}, "begun with another range of clip, learning_rate, state_reset"),
        ({"learning_rate": 0.1}, "learning_rate: is varied by"),
        ({"space": "none.toml"}, "none.toml cannot be read (No such file"),
        ({"trials": 0}, "trials: must be more than 0"),
        ({"timeout": "nan"}, "timeout: must be more than 0"),
        ({"study": "../up"}, "study: must be 1 to 100 of the letters"),
        ({"storage": "nonsense"}, "storage: Could not parse"),
        ({"storage": "postgresql+psycopg2://h/n"}, "psycopg2 is not installed; PostgreSQL is"),
        ({"storage": "sqlite:////nowhere/at/all.db"}, "storage: "),
        ({"preset": "none.toml"}, "preset: none.toml cannot be read"),
        ({"device": "gpu"}, "device"),
        ({"clip": "inf"}, "clip"),
    ],
    ids=str,
)
def test_a_refusal_comes_before_any_trial(
    searched: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    message: str,
) -> None:
    monkeypatch.chdir(searched)
    Path("other.txt").write_text("one\n\n\ntwo\n\n\nthree", encoding="utf-8")
    Path("other.toml").write_text("clip = {low = 0.5, high = 2}", encoding="utf-8")
    before = trials_in(searched)
    args = tune(searched, **{"steps": 2, "study": "tiny", **changes})
    assert message in refusal(capsys, args)
    assert trials_in(searched) == before
    assert len(list((study_folder(searched) / "runs").iterdir())) == 1


def test_the_trials_of_a_study_that_is_gone_are_left_alone(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = copied(searched, tmp_path)
    (study_folder(home) / "study.db").unlink()
    message = refusal(capsys, tune(home, steps=2))
    assert "holds trials of a study that the storage does not know" in message
    assert list((study_folder(home) / "checkpoints").iterdir())


def test_a_text_that_changed_is_refused(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = copied(searched, tmp_path)
    shutil.copy(home / "space.toml", home / "poems.txt")
    assert "prepared from another text" in refusal(capsys, tune(home, steps=2))


def test_a_report_needs_a_study_and_nothing_else(
    searched: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(searched / "searches")]
    beside = ["tune", "--report", *out, "--trials", "3", "--steps", "2"]
    assert "leave out --steps, --trials" in refusal(capsys, beside)
    assert "no study here" in refusal(capsys, ["tune", "--report", "--out", str(tmp_path)])
    url = f"sqlite:///{study_folder(searched) / 'study.db'}"
    other = ["tune", "--report", "--study", "other", "--storage", url, "--out", str(tmp_path)]
    assert "the storage has none of this name" in refusal(capsys, other)
    assert not list(tmp_path.iterdir())


# The thread that gives signs of life loses it, too.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_storage_that_is_lost_amid_a_trial_is_one_line(tmp_path: Path) -> None:
    """Neither the trial's end can be stored, nor can it be read how it ended."""
    file = tmp_path / "study.db"

    def lose_the_storage(_: optuna.Trial) -> float:
        file.write_bytes(b"no database" * 100)
        return 1.0

    with (
        pytest.raises(RunError, match=r"study\.db: .*; when that is mended, go on"),
        connected(database_url(file), print) as storage,
    ):
        optuna.create_study(storage=storage).optimize(lose_the_storage, n_trials=1)
