"""A run that is to train longer: resuming cannot, and the command that can is told."""

import shlex
from pathlib import Path

import pytest
from training_runs import arguments, refusal, resuming

from model import checkpoint as checkpoints
from training.__main__ import main
from training.command_line import TRAIN, longer_command
from training.run_folder import read_config
from training.train_config import TrainConfig, resolve

COMMAND = "strophe "


@pytest.fixture
def finished(corpus: Path) -> Path:
    """The corpus of a finished run `one`, beside it."""
    assert main(arguments(corpus, "one", steps=4, averaging=0.5, dropout=0.3)) == 0
    return corpus


def test_fields_beside_resume_are_refused_with_the_command_that_trains_longer(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refusal(capsys, [*resuming(finished, "one"), "--steps", "9", "--clip", "0.5"])
    assert "leave out --clip, --steps, or begin a new run from its weights: " in message
    assert main(shlex.split(message.split(COMMAND)[1])) == 0
    old, new = (read_config(finished.parent / "runs" / name) for name in ("one", "one-2"))
    assert new.init_from == finished.parent / "checkpoints" / "one"
    changed = {"name", "init_from", "steps", "clip", "embedding_size", "hidden_size"}
    assert old.model_dump(exclude=changed) == new.model_dump(exclude=changed)
    assert (new.steps, new.clip) == (9, 0.5)
    served = checkpoints.load(finished.parent / "checkpoints" / "one-2")
    assert served.network.config.hidden_size == old.hidden_size


def test_a_finished_run_that_is_resumed_says_how_to_train_it_longer(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(resuming(finished, "one")) == 0
    (line,) = (li for li in capsys.readouterr().err.splitlines() if "come to its end" in li)
    assert "--from" in line
    assert "--steps 4" in line


def test_a_run_that_was_not_finished_says_nothing_of_that(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = finished.parent / "runs" / "one" / "metrics.jsonl"
    lines = metrics.read_text().splitlines(keepends=True)
    metrics.write_text("".join(line for line in lines if "final_nats" not in line))
    capsys.readouterr()
    assert main(resuming(finished, "one")) == 0
    assert "come to its end" not in capsys.readouterr().err


@pytest.mark.parametrize("preset", ["tiny", "shakespeare", "verse", "fine-tune"])
def test_the_command_names_no_field_that_the_preset_has(preset: str) -> None:
    config = resolve(preset, {"name": "mine"})
    command = longer_command(config, {"minutes": 7})
    given = [] if preset == "fine-tune" else ["--preset", preset]
    expected = ["--from", "checkpoints/mine", "--name", "mine", *given, "--minutes", "7"]
    assert shlex.split(command)[len(TRAIN) :] == expected


def test_the_command_of_a_preset_that_is_gone_names_its_fields() -> None:
    config = TrainConfig(
        preset="gone.toml", name="mine", epochs=2, decay_at=(0.5, 0.7), vary_lengths=True
    )
    command = longer_command(config, {})
    assert "--preset tiny" in command
    for words in ("--epochs 2.0", "--decay-at 0.5 0.7", "--vary-lengths", "--sequence-length 64"):
        assert words in command
