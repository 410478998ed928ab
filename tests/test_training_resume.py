"""Resuming: bitwise what an uninterrupted run does, after any interruption; and its refusals."""

import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from special_files import SPECIAL
from training_runs import (
    arguments,
    edit,
    refusal,
    resuming,
    save_seldom,
    saved_step,
    spawn,
    stopped_after,
    with_stdin,
)
from waiting import time_limit, wait_until

from model import checkpoint as checkpoints
from model.device import has_bf16_lstm
from training.__main__ import main
from training.data.corpus import prepare
from training.data.corpus_options import CorpusOptions
from training.run_log import read_metrics

STATE_FILES = (
    "model.safetensors",
    "optimizer.safetensors",
    "average.safetensors",
    "carried.safetensors",
    "random.safetensors",
)

# Every regulariser and option of the network at once.
EVERYTHING: dict[str, object] = {
    "layer_norm": True,
    "skip": True,
    "mogrifier_rounds": 2,
    "mogrifier_rank": 4,
    "dropout_input": 0.1,
    "dropout_between": 0.2,
    "dropout_output": 0.3,
    "dropout_embedding": 0.1,
    "weight_drop": 0.3,
    "activation_reg": 1.0,
    "temporal_activation_reg": 1.0,
    "vary_lengths": True,
    "schedule": "plateau",
    "plateau_patience": 1,
    "beta1": 0.0,
    "averaging": 1,
    "averaging_patience": 1,
    "num_layers": 2,
}


def assert_same_end(corpus: Path, first: str, second: str) -> None:
    """The same last state, bit by bit, the same best checkpoint, and the same validations."""
    assert_same_state(corpus, first, second)
    for file in ("model.safetensors", "words.xz"):
        best = [corpus.parent / "checkpoints" / n / file for n in (first, second)]
        assert best[0].read_bytes() == best[1].read_bytes()
    metrics = [read_metrics(corpus.parent / "runs" / n) for n in (first, second)]
    losses = [[(m["step"], m["valid_nats"]) for m in ms if "valid_nats" in m] for ms in metrics]
    assert losses[0] == losses[1]


def assert_same_state(corpus: Path, first: str, second: str) -> None:
    for file in STATE_FILES:
        a, b = (load_file(corpus.parent / "runs" / n / "last" / file) for n in (first, second))
        assert a.keys() == b.keys()
        assert all(torch.equal(a[name], b[name]) for name in a), file


@pytest.mark.parametrize(
    ("how", "averaging"),
    [
        (signal.SIGKILL, 0.9),
        (signal.SIGTERM, 0),
        (signal.SIGINT, 0.9),
    ],
)
def test_a_resumed_run_ends_with_the_very_weights_of_an_uninterrupted_one(
    corpus: Path, how: signal.Signals, averaging: float
) -> None:
    options = {"steps": 120, "averaging": averaging}
    assert main(arguments(corpus, "whole", **options)) == 0
    process = spawn(arguments(corpus, "cut", **options, save_seconds=0.001))
    wait_until(lambda: saved_step(corpus, "cut") > 25)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-how if how == signal.SIGKILL else 128 + how)
    assert how == signal.SIGKILL or "--resume --name cut" in said
    assert 25 < saved_step(corpus, "cut") < 120
    save_seldom(corpus, "cut")
    assert main(resuming(corpus, "cut")) == 0
    assert_same_end(corpus, "whole", "cut")


@pytest.mark.parametrize(
    ("options", "step"),
    [
        ({"cell": "rnn", "num_layers": 3, "steps": 90}, 20),
        ({"tied": True, "hidden_size": 8, "steps": 90}, 20),
        ({"precision": "fp32", "steps": 90}, 20),
        pytest.param(
            {"precision": "bf16", "steps": 90},
            20,
            marks=pytest.mark.skipif(
                not has_bf16_lstm(torch.device("cpu")), reason="no kernel for an lstm in bf16"
            ),
        ),
        ({"precision": "bf16", "cell": "gru", "steps": 90}, 20),
        ({"epochs": 1.5, "sequence_length": 64}, 60),  # 55 steps an epoch: in the second one
        ({"steps": 900, "evaluations": 90, "patience": 3, "learning_rate": 0.5}, 12),
        ({"corpus_split": "contiguous", "steps": 90}, 20),
        (  # read one-hot
            {
                "embedding_size": 128,
                "batch_size": 16,
                "sequence_length": 32,
                "dropout_input": 0,
                "steps": 30,
            },
            10,
        ),
    ],
    ids=str,
)
def test_resuming_is_exact_whatever_the_run(
    corpus: Path, options: dict[str, object], step: int
) -> None:
    fields = {name.replace("corpus_", ""): value for name, value in options.items()}
    assert main(arguments(corpus, "whole", **fields)) == 0
    stopped_after(corpus, "cut", arguments(corpus, "cut", **fields), step)
    assert step < saved_step(corpus, "cut") < saved_step(corpus, "whole")
    assert main(resuming(corpus, "cut")) == 0
    assert_same_end(corpus, "whole", "cut")


def test_resuming_is_exact_with_every_regulariser_on(corpus: Path) -> None:
    """Cut after the learning rate has fallen and averaging has begun."""
    fields = {**EVERYTHING, "steps": 60, "evaluations": 20, "learning_rate": 0.1}
    assert main(arguments(corpus, "whole", **fields)) == 0
    progress = json.loads((corpus.parent / "runs/whole/last/progress.json").read_text())
    assert progress["rate_drops"] > 0
    assert 0 < progress["averaging_since"] < 30
    stopped_after(corpus, "cut", arguments(corpus, "cut", **fields), 30)
    assert 30 < saved_step(corpus, "cut") < 60
    assert main(resuming(corpus, "cut")) == 0
    assert_same_end(corpus, "whole", "cut")


def test_resuming_a_run_that_began_from_a_checkpoint_is_exact(corpus: Path) -> None:
    assert main(arguments(corpus, "first", steps=3)) == 0
    origin = corpus.parent / "checkpoints" / "first"
    options = {"init_from": origin, "hidden_size": None, "embedding_size": None, "steps": 90}
    assert main(arguments(corpus, "whole", **options)) == 0
    stopped_after(corpus, "cut", arguments(corpus, "cut", **options), 20)
    shutil.rmtree(origin)  # what the run needs of it lies in the run's folder
    assert main(resuming(corpus, "cut")) == 0
    assert_same_end(corpus, "whole", "cut")


def test_a_run_killed_after_its_best_checkpoint_and_before_its_state_is_exact(
    corpus: Path,
) -> None:
    assert main(arguments(corpus, "whole", steps=90)) == 0
    stopped_after(corpus, "cut", arguments(corpus, "cut", steps=90), 20)
    # The state is of step 21 or so, the checkpoint already that of the end.
    checkpoints_dir = corpus.parent / "checkpoints"
    shutil.copytree(checkpoints_dir / "whole", checkpoints_dir / "cut", dirs_exist_ok=True)
    assert main(resuming(corpus, "cut")) == 0
    assert_same_end(corpus, "whole", "cut")


def test_the_metrics_of_a_resumed_run_are_those_of_a_whole_one_step_by_step(corpus: Path) -> None:
    stopped_after(corpus, "cut", arguments(corpus, "cut", steps=60), 13)
    assert main(resuming(corpus, "cut")) == 0
    steps = [m["step"] for m in read_metrics(corpus.parent / "runs/cut") if "train_nats" in m]
    assert steps == list(range(10, 61, 10))


def test_resuming_a_finished_run_changes_no_weight(corpus: Path) -> None:
    assert main(arguments(corpus, "one", steps=30)) == 0
    weights = corpus.parent / "checkpoints/one/model.safetensors"
    before = weights.read_bytes()
    assert main(resuming(corpus, "one")) == 0
    assert weights.read_bytes() == before
    assert saved_step(corpus, "one") == 30


def test_a_checkpoint_that_was_removed_is_written_again(corpus: Path) -> None:
    served = corpus.parent / "checkpoints" / "one"
    assert main(arguments(corpus, "one", steps=30)) == 0
    shutil.rmtree(served)
    assert main(resuming(corpus, "one")) == 0  # no validation is left: the last state it is
    checkpoints.load(served)
    fields = {"steps": 120, "learning_rate": 0.5, "final_learning_rate": 1, "evaluations": 40}
    args = arguments(corpus, "two", **fields)
    stopped_after(corpus, "two", args, 60)
    shutil.rmtree(served.with_name("two"))
    assert main(resuming(corpus, "two")) == 0  # none of the later validations is a new best
    checkpoints.load(served.with_name("two"))


def make_file(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("mine")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "half a config": lambda run: (run / "config.json").write_text('{"preset": "ti'),
    "a config of another version": lambda run: edit(run / "config.json", colour="red"),
    "a batch of another size": lambda run: edit(run / "config.json", batch_size=3),
    "windows of another size": lambda run: edit(run / "config.json", sequence_length=1000),
    "a file for last": lambda run: make_file(run / "last"),
    "no weights": lambda run: (run / "last/model.safetensors").unlink(),
    "no moments": lambda run: (run / "last/optimizer.safetensors").unlink(),
    "half the moments": lambda run: cut_short(run / "last/optimizer.safetensors"),
    "half the carried state": lambda run: cut_short(run / "last/carried.safetensors"),
    "other tensors": lambda run: shutil.copy(
        run / "last/model.safetensors", run / "last/carried.safetensors"
    ),
    "other generators": lambda run: shutil.copy(
        run / "last/model.safetensors", run / "last/random.safetensors"
    ),
    "half the progress": lambda run: cut_short(run / "last/progress.json"),
    "a place far off": lambda run: edit(run / "last/progress.json", window=10**9),
    "no data": lambda run: shutil.rmtree(run / "data"),
    "half the data": lambda run: cut_short(run / "data/train.bin"),
    "a file for the checkpoint": lambda run: make_file(run.parents[1] / "checkpoints/one"),
}


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_a_damaged_run_is_refused_in_one_line(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(corpus, "one", steps=3)) == 0
    whole = corpus.parent / "whole"
    for place in ("runs", "checkpoints"):
        shutil.move(corpus.parent / place, whole / place)
    for name, spoil in DAMAGE.items():
        for place in ("runs", "checkpoints"):
            shutil.rmtree(corpus.parent / place, ignore_errors=True)
            shutil.copytree(whole / place, corpus.parent / place)
        spoil(corpus.parent / "runs" / "one")
        message = refusal(capsys, resuming(corpus, "one"))
        assert str(corpus.parent) in message, name


def test_a_special_file_in_a_run_is_refused_at_once_with_its_name(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(corpus, "one", steps=3)) == 0
    run = corpus.parent / "runs" / "one"
    files = [path for path in run.rglob("*") if path.is_file()]
    files = [path for path in files if not {"report", "tensorboard"} & set(path.parts)]
    assert len(files) == 3 + 5 + 10  # of the run, of its data, of its last state
    for file in files:
        aside = file.rename(corpus.parent / "aside")
        for kind in ("fifo", "device"):
            put, reason = SPECIAL[kind]
            put(file)
            with time_limit():
                message = refusal(capsys, resuming(corpus, "one"))
            assert reason in message, file
            assert file.name in message
            file.unlink()
        aside.rename(file)


def test_a_prepared_folder_with_another_text_is_refused_on_resume(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = corpus.parent / "prepared"
    other = corpus.with_name("other.txt")
    other.write_text(corpus.read_text()[:9000])
    prepare([str(corpus)], data, CorpusOptions())
    assert main(arguments(data, "one", steps=3)) == 0
    prepare([str(other)], data, CorpusOptions())
    assert "not the corpus" in refusal(capsys, resuming(corpus, "one"))


def test_what_a_stopped_run_says_is_the_command_that_goes_on(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped_after(corpus, "cut", arguments(corpus, "cut", steps=5000), 3)
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith(f"train --resume --name cut --runs-dir {corpus.parent / 'runs'}")


def test_a_signal_while_finishing_ends_in_one_line_and_the_run_can_go_on(corpus: Path) -> None:
    process = spawn(arguments(corpus, "one", steps=30, save_seconds=1000))
    wait_until(lambda: saved_step(corpus, "one") == 30)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "--resume --name one" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert main(resuming(corpus, "one")) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_preparing_leaves_nothing(corpus: Path, how: signal.Signals) -> None:
    process = spawn(with_stdin(arguments(corpus, "one", steps=5)))
    wait_until(lambda: bool(list(corpus.parent.glob("runs/one/.tmp-data-*"))))
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + how
    assert said.splitlines() == [f"stopped by {how.name}"]
    assert not (corpus.parent / "runs" / "one").exists()
