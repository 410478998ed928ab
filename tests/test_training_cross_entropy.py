"""Measuring a checkpoint: every way of cutting the work gives the figure that theory does."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.tokenizer import BOS_ID
from training.__main__ import main
from training.data.corpus import prepare
from training.data.corpus_options import CorpusOptions
from training.evaluation.cross_entropy import (
    carried_surprisals,
    cold_window_nats,
    evaluate_checkpoint,
    evaluate_texts,
    evaluation_mode,
    mean_surprisal,
)

TEXTS = ["The Moon\n\nis up", "The Sea\n\nis down and the sky is grey", "Rain"]


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint: Path) -> Checkpoint:
    return checkpoints.load(tiny_checkpoint)


def by_hand(tiny: Checkpoint, ids: list[int]) -> float:
    """Nats of ids[1:] in one pass."""
    row = torch.tensor([ids])
    with torch.no_grad():
        logits, _ = tiny.network(row[:, :-1], tiny.network.zero_state(1))
    return float(functional.cross_entropy(logits[0], row[0, 1:], reduction="sum"))


def test_the_total_is_one_pass_over_the_documents_and_their_ends(tiny: Checkpoint) -> None:
    ids = [BOS_ID]
    for text in TEXTS:
        ids += [*tiny.tokenizer.encode(text), BOS_ID]
    result = evaluate_texts(tiny.network, tiny.tokenizer, TEXTS, ends=True)
    assert result.total.nats == pytest.approx(by_hand(tiny, ids), rel=1e-5)
    assert result.total.characters == sum(len(text) + 1 for text in TEXTS)


def test_a_text_without_documents_has_no_ends_to_predict(tiny: Checkpoint) -> None:
    whole = "".join(TEXTS)
    result = evaluate_texts(tiny.network, tiny.tokenizer, TEXTS, ends=False)
    ids = [BOS_ID, *tiny.tokenizer.encode(whole)]
    assert result.total.nats == pytest.approx(by_hand(tiny, ids), rel=1e-5)
    assert result.total.characters == len(whole)


def test_documents_add_up_to_the_total(tiny: Checkpoint) -> None:
    result = evaluate_texts(tiny.network, tiny.tokenizer, TEXTS, ends=True)
    assert [d.title for d in result.documents] == ["The Moon", "The Sea", "Rain"]
    assert sum(d.score.nats for d in result.documents) == pytest.approx(result.total.nats)


def test_the_units_agree(tiny: Checkpoint) -> None:
    score = evaluate_texts(tiny.network, tiny.tokenizer, TEXTS, ends=True).total
    assert score.bits_per_character * math.log(2) == pytest.approx(score.nats_per_character)
    assert math.log(score.perplexity) == pytest.approx(score.nats_per_character)


def test_cold_windows_begin_with_the_zero_state(tiny: Checkpoint) -> None:
    ids = np.array([BOS_ID, *tiny.tokenizer.encode(TEXTS[1])])
    count = (len(ids) - 1) // 8
    expected = sum(by_hand(tiny, ids[i * 8 : i * 8 + 9].tolist()) for i in range(count))
    assert cold_window_nats(tiny.network, ids, 8) == pytest.approx(expected / (count * 8), rel=1e-5)


def test_rows_that_start_cold_measure_nearly_the_same(tiny: Checkpoint, anthology: str) -> None:
    ids = np.array(tiny.tokenizer.encode(anthology[:8001]), dtype=np.uint16)
    exact, quick = (mean_surprisal(tiny.network, ids, rows=rows) for rows in (1, 8))
    assert quick == pytest.approx(exact, rel=0.01)


@pytest.mark.parametrize("rows", [2, 5, 8, 1000])
def test_rows_with_a_warm_start_measure_each_token_as_one_row_does(
    tiny: Checkpoint, anthology: str, rows: int
) -> None:
    """5,003 characters: no number of rows divides them, and a thousand rows are too many."""
    ids = np.array(tiny.tokenizer.encode(anthology[:5003]), dtype=np.uint16)
    exact, quick = (carried_surprisals(tiny.network, ids, each) for each in (1, rows))
    assert quick.shape == exact.shape
    assert float(quick.mean()) == pytest.approx(float(exact.mean()), rel=1e-4)
    assert torch.allclose(quick, exact, atol=1e-3)


def test_documents_are_the_same_in_rows(tiny: Checkpoint, anthology: str) -> None:
    texts = [anthology[at : at + 700] for at in range(0, 5600, 700)]
    one, four = (
        evaluate_texts(tiny.network, tiny.tokenizer, texts, ends=True, rows=rows) for rows in (1, 4)
    )
    assert [d.score.nats for d in four.documents] == pytest.approx(
        [d.score.nats for d in one.documents], rel=1e-4
    )


def test_rows_must_be_some(tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--checkpoint", str(tiny_checkpoint), "--rows", "0"]) == 2
    assert "rows: must be 1 to 1024, got 0" in capsys.readouterr().err


def test_measuring_leaves_the_training_mode_as_it_was(tiny: Checkpoint) -> None:
    network = tiny.network.train()
    with evaluation_mode(network):
        assert not network.training
    assert network.training
    network.eval()


def test_a_prepared_corpus_is_measured_on_its_validation_part(
    tiny: Checkpoint, tmp_path: Path, anthology: str
) -> None:
    path = tmp_path / "poems.txt"
    path.write_text(anthology[:9000], encoding="utf-8")
    corpus = prepare([str(path)], tmp_path / "data", CorpusOptions(), tokenizer=tiny.tokenizer)
    result = evaluate_checkpoint(tiny, [str(tmp_path / "data")], CorpusOptions())
    assert result.total.nats == pytest.approx(by_hand(tiny, corpus.valid.tolist()), rel=1e-4)


def test_the_documents_of_a_prepared_corpus_are_measured_like_those_of_a_text(
    tiny: Checkpoint, tmp_path: Path
) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("\n\n\n".join([*TEXTS, "The \u4e00 end"]), encoding="utf-8")
    valid = tmp_path / "valid.txt"
    valid.write_text("\n\n\n".join(["Other \u4e00", "Another\nline"]), encoding="utf-8")
    data = tmp_path / "data"
    options = CorpusOptions()
    rare_left_out = CorpusOptions(character_coverage=0.6)
    prepare([str(path)], data, rare_left_out, valid_names=[str(valid)], tokenizer=tiny.tokenizer)
    there, here = (
        evaluate_checkpoint(tiny, [str(data)], options),
        evaluate_checkpoint(tiny, [str(valid)], options),
    )
    assert [d.score for d in there.documents] == [d.score for d in here.documents]
    assert there.documents[1].title == "Another"
    assert there.total == here.total
    assert there.unknown_tokens == here.unknown_tokens == 1


def test_a_text_without_documents_lists_none(tiny: Checkpoint) -> None:
    assert evaluate_texts(tiny.network, tiny.tokenizer, TEXTS, ends=False).documents == []


def test_a_title_in_square_brackets_is_shown_as_it_is(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("[/b] [red]\n\nRoses", encoding="utf-8")
    args = ["evaluate", "--checkpoint", str(tiny_checkpoint), "--corpus", str(path)]
    assert main([*args, "--per-document"]) == 0
    assert "[/b] [red]" in capsys.readouterr().out


def test_the_command_prints_one_object(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("\n\n\n".join(TEXTS), encoding="utf-8")
    args = ["evaluate", "--checkpoint", str(tiny_checkpoint), "--corpus", str(path), "--json"]
    assert main([*args, "--cold-window", "8", "--per-document"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["characters"] == sum(len(text) + 1 for text in TEXTS)
    assert {"nats_per_character", "bits_per_character", "perplexity"} <= facts.keys()
    assert facts["cold_window_nats"] > 0
    assert [d["title"] for d in facts["per_document"]] == ["The Moon", "The Sea", "Rain"]


def test_the_command_prints_tables(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("\n\n\n".join(TEXTS), encoding="utf-8")
    args = ["evaluate", "--checkpoint", str(tiny_checkpoint), "--corpus", str(path)]
    assert main([*args, "--per-document"]) == 0
    said = capsys.readouterr().out
    assert "bits per character" in said
    assert "The Sea" in said


@pytest.mark.parametrize("extra", [["--cold-window", "0"], ["--cold-window", "100000"]])
def test_a_window_that_does_not_fit_is_refused(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: list[str]
) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("\n\n\n".join(TEXTS), encoding="utf-8")
    args = ["evaluate", "--checkpoint", str(tiny_checkpoint), "--corpus", str(path), *extra]
    assert main(args) == 2
    assert "cold_window" in capsys.readouterr().err


def test_an_empty_text_is_refused(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("", encoding="utf-8")
    args = ["evaluate", "--checkpoint", str(tiny_checkpoint), "--corpus", str(path)]
    assert main(args) == 2
    assert "empty.txt: is empty" in capsys.readouterr().err
    path.write_text(" \n", encoding="utf-8")
    assert main(args) == 2
    assert "no text to evaluate" in capsys.readouterr().err
