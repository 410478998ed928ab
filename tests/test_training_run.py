"""Runs: exact resume after any interruption, checkpoints, endings, and refusals."""

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model import checkpoint as checkpoints
from model.config import ModelConfig
from model.network import Network
from training.__main__ import main
from training.batches import Streams
from training.config import ANTHOLOGY, TrainConfig
from training.corpus import CorpusOptions, prepare
from training.errors import RunError
from training.runlog import read_metrics
from training.trainer import Trainer

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
STATE_FILES = (
    "model.safetensors",
    "optimizer.safetensors",
    "carried.safetensors",
    "random.safetensors",
)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A tenth of the anthology, so that runs have several epochs."""
    path = tmp_path / "poems.txt"
    path.write_text(ANTHOLOGY.read_text(encoding="utf-8")[:16_000], encoding="utf-8")
    return path


def arguments(corpus: Path, name: str, **changes: object) -> list[str]:
    """The command line of a small run beside `corpus`."""
    home = corpus.parent
    fields = {
        **SMALL,
        "corpus": corpus,
        "name": name,
        "runs_dir": home / "runs",
        "checkpoints_dir": home / "checkpoints",
        **changes,
    }
    flags = [(f"--{key.replace('_', '-')}", str(value)) for key, value in fields.items()]
    return ["train", *(part for flag in flags for part in flag)]


def resuming(corpus: Path, name: str) -> list[str]:
    return ["train", "--resume", "--name", name, "--runs-dir", str(corpus.parent / "runs")]


def spawn(args: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "training", *args], stderr=subprocess.PIPE, text=True
    )


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def saved_step(corpus: Path, name: str) -> int:
    path = corpus.parent / "runs" / name / "last" / "progress.json"
    try:
        return int(json.loads(path.read_text())["step"])
    except (FileNotFoundError, NotADirectoryError):
        return 0


def assert_same_state(corpus: Path, first: str, second: str) -> None:
    for file in STATE_FILES:
        a, b = (load_file(corpus.parent / "runs" / n / "last" / file) for n in (first, second))
        assert a.keys() == b.keys()
        assert all(torch.equal(a[name], b[name]) for name in a), file


@pytest.mark.parametrize(
    ("how", "cell"),
    [
        (signal.SIGKILL, "lstm"),
        (signal.SIGTERM, "lstm"),
        (signal.SIGINT, "lstm"),
        (signal.SIGTERM, "gru"),
    ],
)
def test_a_resumed_run_ends_with_the_very_weights_of_an_uninterrupted_one(
    corpus: Path, how: signal.Signals, cell: str
) -> None:
    options = {"steps": 400, "cell": cell}
    assert main(arguments(corpus, "whole", **options)) == 0
    process = spawn(arguments(corpus, "cut", **options, save_seconds=0.001))
    wait_for(lambda: saved_step(corpus, "cut") > 60)
    process.send_signal(how)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (-how if how == signal.SIGKILL else 128 + how)
    assert how == signal.SIGKILL or "--resume --name cut" in said
    assert 60 < saved_step(corpus, "cut") < 400
    assert main(resuming(corpus, "cut")) == 0
    assert_same_state(corpus, "whole", "cut")
    best = [corpus.parent / "checkpoints" / name / "model.safetensors" for name in ("whole", "cut")]
    assert best[0].read_bytes() == best[1].read_bytes()


def test_the_metrics_of_a_resumed_run_have_each_step_once(corpus: Path) -> None:
    process = spawn(arguments(corpus, "cut", steps=600, save_seconds=0.2))
    wait_for(lambda: saved_step(corpus, "cut") > 20)
    process.kill()
    process.communicate()
    assert main(resuming(corpus, "cut")) == 0
    steps = [m["step"] for m in read_metrics(corpus.parent / "runs/cut") if "train_nats" in m]
    assert steps == sorted(set(steps))


def test_a_run_leaves_what_the_manual_names(corpus: Path) -> None:
    assert main(arguments(corpus, "one", steps=40)) == 0
    run = corpus.parent / "runs" / "one"
    assert (run / "report" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert "temperature 0.8" in (run / "report" / "README.md").read_text()
    assert list((run / "tensorboard").iterdir())
    best = checkpoints.load(corpus.parent / "checkpoints" / "one")
    assert best.description.provenance["corpus"] == "poems.txt"
    assert "validation bits per character" in best.card
    checkpoints.load(run / "last")  # the last state is a checkpoint too


def test_the_loss_falls(corpus: Path) -> None:
    assert main(arguments(corpus, "one", steps=150, learning_rate=0.01)) == 0
    metrics = read_metrics(corpus.parent / "runs" / "one")
    validation = [line["valid_nats"] for line in metrics if "valid_nats" in line]
    assert validation[-1] < validation[0] < math.log(100)
    assert validation[-1] < 3.0


def test_the_served_checkpoint_is_the_best_not_the_last(corpus: Path) -> None:
    # A learning rate this high makes the later validations worse.
    fields = {"steps": 400, "learning_rate": 0.5, "final_learning_rate": 1, "evaluations": 40}
    assert main(arguments(corpus, "wild", **fields)) == 0
    validations = [
        line for line in read_metrics(corpus.parent / "runs" / "wild") if "valid_nats" in line
    ]
    best = min(validations, key=lambda line: line["valid_nats"])
    provenance = checkpoints.load(corpus.parent / "checkpoints" / "wild").description.provenance
    assert provenance["weight updates"] == best["step"]


def test_training_stops_early_when_validation_stops_improving(corpus: Path) -> None:
    fields = {"steps": 4000, "learning_rate": 0.5, "evaluations": 400, "patience": 3}
    assert main(arguments(corpus, "early", **fields)) == 0
    assert saved_step(corpus, "early") < 4000


def test_minutes_end_the_run_in_time(corpus: Path) -> None:
    started = time.monotonic()
    assert main(arguments(corpus, "timed", minutes=0.05)) == 0
    assert saved_step(corpus, "timed") > 0
    assert time.monotonic() - started < 30
    rates = [
        m["learning_rate"]
        for m in read_metrics(corpus.parent / "runs/timed")
        if "learning_rate" in m
    ]
    assert rates[-1] < rates[len(rates) // 2]


def refusal(capsys: pytest.CaptureFixture[str], args: list[str]) -> str:
    capsys.readouterr()
    assert main(args) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(lines) == 1
    return lines[0]


def test_an_existing_name_is_refused_and_left_alone(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(corpus, "one", steps=5)) == 0
    before = (corpus.parent / "runs/one/last/model.safetensors").read_bytes()
    assert "--resume --name one" in refusal(capsys, arguments(corpus, "one", steps=5))
    assert (corpus.parent / "runs/one/last/model.safetensors").read_bytes() == before


def test_without_a_name_a_run_takes_the_corpus_name_and_then_numbers(corpus: Path) -> None:
    for _ in range(2):
        args = arguments(corpus, "", steps=3)
        del args[args.index("--name") : args.index("--name") + 2]
        assert main(args) == 0
    names = sorted(path.name for path in (corpus.parent / "checkpoints").iterdir())
    assert names == ["poems", "poems-2"]


def test_a_changed_corpus_is_refused_on_resume(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(corpus, "one", steps=5)) == 0
    corpus.write_text("another text altogether", encoding="utf-8")
    assert "poems.txt changed" in refusal(capsys, resuming(corpus, "one"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a poem \xff", "not UTF-8 at byte 7"),
        (b"one single poem", "too small to split"),
        (b"a\n\n\nb", "too few for batch_size"),
    ],
)
def test_a_corpus_that_will_not_do_leaves_no_run_behind(
    corpus: Path, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    corpus.write_bytes(content)
    assert message in refusal(capsys, arguments(corpus, "one", steps=5))
    assert not (corpus.parent / "runs" / "one").exists()


def test_a_missing_run_cannot_be_resumed(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no run of this name" in refusal(capsys, resuming(corpus, "nothing"))


def test_fields_beside_resume_are_refused_by_name(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refusal(capsys, [*resuming(corpus, "one"), "--dropout", "0.5"])
    assert "--dropout" in message


def test_a_second_process_cannot_work_on_the_same_run(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = spawn(arguments(corpus, "one", steps=100_000, save_seconds=0.1))
    try:
        wait_for(lambda: saved_step(corpus, "one") > 0)
        assert "in use" in refusal(capsys, resuming(corpus, "one"))
    finally:
        process.kill()
        process.communicate()


def test_a_full_disk_ends_the_run_in_one_line_and_keeps_the_last_state(corpus: Path) -> None:
    assert main(arguments(corpus, "one", steps=5)) == 0
    assert main(arguments(corpus, "large", steps=5)) == 0
    last = corpus.parent / "runs" / "large" / "last"
    config = corpus.parent / "runs" / "large" / "config.json"
    config.write_text(config.read_text().replace('"steps": 5', '"steps": 9'))
    before = {path.name: path.read_bytes() for path in last.iterdir()}
    code = (
        "import resource, sys; from training.__main__ import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)); sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *resuming(corpus, "large")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr
    assert {path.name: path.read_bytes() for path in last.iterdir()} == before
    assert not list(last.parent.glob(".tmp-*"))


def test_a_loss_that_is_not_finite_stops_the_step_and_keeps_the_weights(tmp_path: Path) -> None:
    data = prepare([str(ANTHOLOGY)], tmp_path / "data", CorpusOptions())
    config = TrainConfig.model_validate({**SMALL, "steps": 5})
    shape = ModelConfig(vocab_size=data.tokenizer.vocab_size, embedding_size=8, hidden_size=16)
    network = Network(shape).initialise()
    streams = Streams(data.train, batch_size=4, sequence_length=16, seed=1)
    trainer = Trainer(config, network, streams)
    trainer.step()
    trainer.carried.hidden.fill_(math.nan)
    before = [weight.clone() for weight in network.parameters()]
    with pytest.raises(RunError, match="diverged at step 2"):
        trainer.step()
    after = list(network.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
