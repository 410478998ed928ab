"""Runs: what they leave, how they end, and how they are named."""

import json
import math
import time
from pathlib import Path

import pytest
import torch
from training_runs import (
    SMALL,
    arguments,
    resuming,
    saved_step,
    spawn,
    with_stdin,
)
from waiting import wait_until

from model import checkpoint as checkpoints
from model.config import ModelConfig
from model.network import Network
from training.__main__ import main
from training.data.batches import Streams
from training.data.corpus import prepare
from training.data.corpus_options import CorpusOptions
from training.optimization.trainer import Trainer
from training.run_log import read_metrics
from training.train_config import ANTHOLOGY, TrainConfig
from training.training_errors import RunError


def test_a_run_leaves_what_the_manual_names(corpus: Path) -> None:
    told = ["--purpose", "Limericks of the Tyne"]
    assert main([*arguments(corpus, "one", steps=40), *told]) == 0
    run = corpus.parent / "runs" / "one"
    assert (run / "report" / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert "temperature 0.8" in (run / "report" / "README.md").read_text()
    assert list((run / "tensorboard").iterdir())
    best = checkpoints.load(corpus.parent / "checkpoints" / "one")
    assert best.description.provenance["corpus"] == "poems.txt"
    assert "validation bits per character" in best.card
    assert "under copyright" in best.card
    assert "| purpose | Limericks of the Tyne |" in best.card
    assert best.description.purpose == "Limericks of the Tyne"
    checkpoints.load(run / "last")  # the last state is a checkpoint too


def test_the_card_says_what_files_tell_of_authors_titles_and_rights(corpus: Path) -> None:
    rows = [
        {
            "text": f"The {n} heron waits\nbeside the {n * n} weir",
            "author": "Ann | Bo",
            "rights": "CC0",
        }
        for n in range(200)
    ]
    path = corpus.with_suffix(".json")
    path.write_text(json.dumps(rows), encoding="utf-8")
    assert main(arguments(path, "one", steps=5)) == 0
    card = checkpoints.load(corpus.parent / "checkpoints" / "one").card
    assert "| authors | Ann \\| Bo |" in card
    assert "| rights | CC0 |" in card
    assert "| titles |" not in card


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
    assert main(arguments(corpus, "timed", minutes=0.02)) == 0
    assert saved_step(corpus, "timed") > 0
    assert time.monotonic() - started < 30
    rates = [
        m["learning_rate"]
        for m in read_metrics(corpus.parent / "runs/timed")
        if "learning_rate" in m
    ]
    assert rates[-1] < rates[len(rates) // 2]


def test_without_a_name_a_run_takes_the_corpus_name_and_then_numbers(corpus: Path) -> None:
    for _ in range(2):
        assert main(arguments(corpus, None, steps=3)) == 0
    names = sorted(path.name for path in (corpus.parent / "checkpoints").iterdir())
    assert names == ["poems", "poems-2"]


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


def test_what_a_run_killed_while_preparing_left_is_taken_over(corpus: Path) -> None:
    process = spawn(with_stdin(arguments(corpus, "one", steps=3)))
    wait_until(lambda: bool(list(corpus.parent.glob("runs/one/.tmp-data-*"))))
    process.kill()
    process.communicate()
    assert main(arguments(corpus, "one", steps=3)) == 0
    assert not list(corpus.parent.glob("runs/one/.tmp-*"))


def test_a_run_takes_no_more_of_a_long_file_name_than_a_name_may_have(corpus: Path) -> None:
    corpus = corpus.rename(corpus.with_name("long" * 40 + ".txt"))
    assert main(arguments(corpus, None, steps=3)) == 0
    name = next((corpus.parent / "runs").iterdir()).name
    assert main(resuming(corpus, name)) == 0


def test_a_checkpoint_names_a_few_of_many_files(corpus: Path) -> None:
    texts = corpus.with_name("texts")
    texts.mkdir()
    for number, poem in enumerate(corpus.read_text().split("\n\n\n")):
        (texts / f"{number:02}.txt").write_text(poem)
    args = arguments(corpus, "one", steps=3)
    args[args.index("--corpus") + 1] = str(texts)
    assert main(args) == 0
    shown = checkpoints.load(corpus.parent / "checkpoints/one").description.provenance["corpus"]
    assert str(shown).startswith("00.txt, 01.txt, 02.txt, 03.txt, 04.txt and ")


def test_a_run_by_the_clock_is_measured_at_its_end(corpus: Path) -> None:
    assert main(arguments(corpus, "one", minutes=0.0001, evaluations=1)) == 0
    checkpoints.load(corpus.parent / "checkpoints" / "one")
