"""`python -m training study`: a small study from end to end, and what it refuses."""

import json
import re
from pathlib import Path

import pytest
from conftest import MakeCheckpoint
from training_runs import refusal

from training.__main__ import main
from training.cell_study.cell_study_data import DATA
from training.cell_study.cell_study_page import FILES, PAGE
from training.cell_study.matched_networks import CELLS
from training.data.corpus import prepare
from training.data.corpus_options import CorpusOptions

PNG = b"\x89PNG\r\n\x1a\n"


def arguments(corpus: Path, out: Path, /, **changes: object) -> list[str]:
    fields = {
        "text_steps": 2,
        "recall_steps": 2,
        "seeds": 1,
        "hidden_size": 32,
        "device": "cpu",
        "threads": 1,
        "corpus": corpus,
        "out": out,
        **changes,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    flags = ((f"--{name.replace('_', '-')}", str(value)) for name, value in given.items())
    return ["study", *(part for flag in flags for part in flag)]


def test_a_study_writes_its_page_and_every_plot_it_names(
    corpus: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = corpus.parent / "study"
    by_clock = {"minutes": 1e-5, "text_steps": None, "recall_steps": None}
    args = arguments(corpus, out, checkpoint=tiny_checkpoint, layer=1, **by_clock)
    assert main(args) == 0
    said = capsys.readouterr().err
    assert said.startswith("documents: ")
    assert f"done: {out / PAGE}" in said
    page = (out / PAGE).read_text(encoding="utf-8")
    plots = re.findall(r"\]\((\w+\.png)\)", page)
    assert {PAGE, DATA, *plots} == {file.name for file in out.iterdir()} == set(FILES)
    assert all((out / plot).read_bytes().startswith(PNG) for plot in plots)
    assert "Layer 1 of the checkpoint" in page
    data = json.loads((out / DATA).read_text(encoding="utf-8"))
    assert list(data) == ["networks", "gradients", "recall", "cold_start", "gates"]
    nats = data["networks"]["cells"]["lstm"]["nats"]
    assert f" | {nats:.3f} nats |" in page
    openings = data["gates"]["openings"]
    assert {len(values) for values in openings.values()} == {len(data["gates"]["pieces"])}
    assert "--text-steps 1 --recall-steps 1 --seeds 1 --seed 1 --hidden-size 32" in page
    rows = re.findall(r"^\| (\w+) \| \d+ \| ([\d,]+) \| [\d.]+ nats \|$", page, re.M)
    assert [cell for cell, _ in rows] == list(CELLS)
    counts = [int(count.replace(",", "")) for _, count in rows]
    assert max(counts) / min(counts) < 1.02


def test_a_folder_with_something_else_is_left_alone(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = corpus.parent / "mine"
    out.mkdir()
    (out / "README.md").write_text("mine", encoding="utf-8")
    assert "something other than a study" in refusal(capsys, arguments(corpus, out))
    assert [file.name for file in out.iterdir()] == ["README.md"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minutes": 1}, "leave nothing for minutes"),
        ({"minutes": 0, "text_steps": None}, "minutes: "),
        ({"minutes": "nan", "text_steps": None}, "minutes: "),
        ({"hidden_size": 8}, "hidden_size: "),
        ({"hidden_size": 4096}, "hidden_size: "),
        ({"seeds": 0}, "seeds: "),
        ({"seed": -1}, "seed: "),
        ({"layer": 2}, "layer: must be 1 to 1, got 2"),
        ({"device": "gpu"}, "device: "),
        ({"checkpoint": "nowhere"}, "nowhere: not a checkpoint"),
        ({"corpus": "nowhere.txt"}, "nowhere.txt: no such file"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    corpus: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], message: str
) -> None:
    out = corpus.parent / "study"
    assert message in refusal(capsys, arguments(corpus, out, **changes))
    assert [file.name for file in corpus.parent.iterdir()] == [corpus.name]


def test_a_checkpoint_without_gates_is_refused(
    corpus: Path, make_checkpoint: MakeCheckpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_checkpoint(corpus.parent / "gru", cell="gru")
    args = arguments(corpus, corpus.parent / "study", checkpoint=folder)
    assert "checkpoint: must be of an lstm" in refusal(capsys, args)


def test_a_text_that_is_too_short_is_refused(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus.write_text(corpus.read_text(encoding="utf-8")[:1500], encoding="utf-8")
    out = corpus.parent / "study"
    assert "name more text" in refusal(capsys, arguments(corpus, out))
    assert not out.exists()


def test_a_corpus_prepared_in_subwords_is_refused(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = corpus.parent / "data"
    prepare([str(corpus)], data, CorpusOptions(tokenizer="bpe", vocab_size=330))
    assert "needs it by char" in refusal(capsys, arguments(data, corpus.parent / "study"))
