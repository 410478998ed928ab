"""`python -m training evaluate`: what it prints, what it writes, what it refuses."""

import json
from pathlib import Path

import pytest
from training_runs import refusal

from training.__main__ import main
from training.commands.tables import Grid, format_figure, grids_of, markdown

LEARNING = ("--dynamic", "--dynamic-segment", "20", "--dynamic-learning-rate", "0.003")
WRITING = ("--form", "--form-characters", "600", "--form-temperature", "1", "--form-seed", "3")


@pytest.fixture
def command(tiny_checkpoint: Path, tmp_path: Path, anthology: str) -> list[str]:
    """The command on some poems, and the poems before them as `train.txt`."""
    poems = anthology.split("\n\n\n")
    (tmp_path / "train.txt").write_text("\n\n\n".join(poems[:20]), encoding="utf-8")
    (tmp_path / "poems.txt").write_text("\n\n\n".join(poems[20:30]), encoding="utf-8")
    corpus = str(tmp_path / "poems.txt")
    return ["evaluate", "--checkpoint", str(tiny_checkpoint), "--corpus", corpus]


def test_everything_asked_for_is_in_the_object_and_in_the_folder(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "results"
    args = [*command, *LEARNING, *WRITING, "--training-text", str(tmp_path / "train.txt")]
    assert main([*args, "--per-document", "--cold-window", "8", "--json", "--out", str(out)]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert json.loads((out / "evaluation.json").read_text("utf-8")) == facts
    assert facts["dynamic_nats_per_character"] < facts["nats_per_character"]
    assert facts["dynamic_bits_per_character"] > facts["dynamic_nats_per_character"]
    generated, held_out = (facts["form"][side] for side in ("generated", "held_out"))
    assert generated["characters"] == held_out["characters"] == 600
    assert held_out["real_words"] > 2 * generated["real_words"]
    assert len(held_out["copied"]["passage"]) == held_out["copied"]["longest"] > 0
    page = (out / "evaluation.md").read_text("utf-8")
    assert page.startswith("# Evaluation of tiny\n")
    assert f"| dynamic nats per character | {facts['dynamic_nats_per_character']:.4f} |" in page
    assert "| form | generated | held out |" in page
    assert f"| {facts['per_document'][0]['title']} |" in page


def test_titles_are_measured_where_they_are_asked_for(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poems = tmp_path / "poems.txt"
    poems.write_text("THE SEA\n\nThe waves\n\n\nTHE ROSE\n\nA rose", encoding="utf-8")
    assert main([*command, "--titles", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["titled_poems"] == 2
    assert 0 < facts["own_title_bits_per_character"] != facts["another_title_bits_per_character"]
    assert facts["likelier_under_own_title"] in {0, 0.5, 1}
    assert facts["no_title_bits_per_character"] > 0


def test_the_terminal_shows_both_sides(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, *WRITING, "--training-text", str(tmp_path / "train.txt")]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("generated", "held out", "real words", "passage"))


def test_without_being_asked_for_nothing_is_added(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command, "--json"]) == 0
    keys = {"nats_per_character", "bits_per_character", "perplexity", "characters"}
    assert json.loads(capsys.readouterr().out).keys() == keys | {"documents", "unknown_tokens"}


@pytest.mark.parametrize(
    ("extra", "named"),
    [
        (["--titles-characters", "9"], "titles_characters"),
        (["--titles", "--titles-characters", "0"], "titles_characters"),
        (["--dynamic-decay", "0.1"], "dynamic_decay"),
        (["--form-seed", "0"], "form_seed"),
        (["--training-text", "x"], "training_text"),
        (["--form"], "training_text"),
        (["--form", "--training-text", "no-such-file"], "no-such-file"),
        (["--form", "--training-text", "-", "--corpus", "-"], "training_text"),
        (["--form", "--form-characters", "0"], "form_characters"),
        (["--dynamic", "--dynamic-learning-rate", "-1"], "dynamic_learning_rate"),
        (["--dynamic", "--dynamic-segment", "many"], "dynamic_segment"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    command: list[str], capsys: pytest.CaptureFixture[str], extra: list[str], named: str
) -> None:
    assert named in refusal(capsys, [*command, *extra])


def test_a_training_text_without_text_is_refused(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.txt").write_text("\n", encoding="utf-8")
    args = [*command, "--form", "--training-text", str(tmp_path / "empty.txt")]
    assert "training_text: there is no text" in refusal(capsys, args)


def test_a_file_where_the_folder_should_be_is_refused_before_anything_is_measured(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert str(tmp_path / "train.txt") in refusal(
        capsys, [*command, "--out", str(tmp_path / "train.txt")]
    )


def test_figures_are_shown_as_people_read_them() -> None:
    assert [format_figure(each) for each in (None, 0.123456, 12345, "a")] == [
        "-",
        "0.1235",
        "12,345",
        "a",
    ]


def test_a_side_without_a_figure_has_a_dash() -> None:
    sides = {"generated": {"lines": None, "n": [1, 2]}, "held_out": {"lines": {"mean": 2.0}}}
    grid = grids_of({"form": sides})[1]
    assert grid.header == ("form", "generated", "held out")
    assert ("lines", "-", "-") in grid.rows
    assert ("lines mean", "-", "2.0000") in grid.rows
    assert ("n 2", "2", "-") in grid.rows


def test_markdown_cells_hold_what_would_part_them() -> None:
    page = markdown("A", [Grid(header=("a", "b"), rows=[("x|y", "two\nlines")])])
    assert page == "# A\n\n| a | b |\n| --- | --- |\n| x\\|y | two / lines |\n"
