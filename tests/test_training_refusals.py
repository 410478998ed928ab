"""Refusals of a run: in one line, before any work, and all is left as it was."""

import shutil
from pathlib import Path

import pytest
from special_files import put_fifo
from training_runs import (
    arguments,
    refusal,
    resuming,
    saved_step,
    spawn,
    with_stdin,
)
from waiting import time_limit, wait_until

from training.__main__ import main
from training.data.corpus import prepare
from training.data.corpus_options import CorpusOptions


def test_an_existing_name_is_refused_and_left_alone(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(corpus, "one", steps=5)) == 0
    before = (corpus.parent / "runs/one/last/model.safetensors").read_bytes()
    assert "--resume --name one" in refusal(capsys, arguments(corpus, "one", steps=5))
    assert (corpus.parent / "runs/one/last/model.safetensors").read_bytes() == before


def test_a_changed_corpus_is_refused_on_resume(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(corpus, "one", steps=5)) == 0
    corpus.write_text("another text altogether", encoding="utf-8")
    assert "poems.txt changed" in refusal(capsys, resuming(corpus, "one"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a poem \0\1\2\xff", "poems.txt: "),
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
        wait_until(lambda: saved_step(corpus, "one") > 0)
        assert "in use" in refusal(capsys, resuming(corpus, "one"))
    finally:
        process.kill()
        process.communicate()


def inventory(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("place", ["runs/one", "checkpoints/one"])
@pytest.mark.parametrize("text", [None, "one single poem"])
def test_what_others_have_in_the_place_of_a_run_is_refused_and_left_alone(
    corpus: Path, capsys: pytest.CaptureFixture[str], place: str, text: str | None
) -> None:
    if text is not None:
        corpus.write_text(text)
    (corpus.parent / place).mkdir(parents=True)
    (corpus.parent / place / "mine.txt").write_text("years of work")
    before = inventory(corpus.parent)
    message = refusal(capsys, arguments(corpus, "one", steps=3))
    assert place in message
    assert "another --name" in message
    assert inventory(corpus.parent) == before


@pytest.mark.parametrize("place", ["runs", "runs/one", "checkpoints", "checkpoints/one"])
def test_a_file_in_the_place_of_a_folder_is_refused_before_any_work(
    corpus: Path, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    (corpus.parent / place).parent.mkdir(exist_ok=True)
    (corpus.parent / place).write_text("mine")
    assert place in refusal(capsys, arguments(corpus, "one", steps=3))
    assert (corpus.parent / place).read_text() == "mine"
    assert not (corpus.parent / "runs/one/config.json").exists()


def test_a_run_that_is_being_prepared_is_not_disturbed(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = spawn(with_stdin(arguments(corpus, "one", steps=3)))
    wait_until(lambda: bool(list(corpus.parent.glob("runs/one/.tmp-data-*"))))
    assert "in use" in refusal(capsys, arguments(corpus, "one", steps=3))
    _, said = process.communicate(corpus.read_text(), timeout=60)
    assert process.returncode == 0, said


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"device": "gpu"}, "device"),
        ({"tied": None}, "tied"),
        ({"threads": 0}, "threads"),
        ({"document_separator": ""}, "document_separator"),
        ({"init_from": "nowhere"}, "leave out --embedding-size, --hidden-size"),
        ({"steps": None, "epochs": "inf"}, "epochs"),
        ({"steps": None, "minutes": "inf"}, "minutes"),
        ({"clip": "inf"}, "clip"),
    ],
    ids=str,
)
def test_a_field_that_will_not_do_is_refused_before_the_text_is_read(
    corpus: Path, capsys: pytest.CaptureFixture[str], fields: dict[str, object], message: str
) -> None:
    corpus.write_bytes(b"\xff")  # an error of its own, were it read
    tied = ["--tied"] if "tied" in fields else []
    args = arguments(corpus, "one", **{"steps": 3, **fields})
    assert message in refusal(capsys, [*args, *tied])


def test_a_checkpoint_to_begin_from_that_is_none_is_refused(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {"embedding_size": None, "hidden_size": None, "init_from": corpus, "steps": 3}
    assert "there is no checkpoint" in refusal(capsys, arguments(corpus, "one", **fields))
    fields["init_from"] = corpus.parent
    assert "not a checkpoint" in refusal(capsys, arguments(corpus, "one", **fields))


def test_a_special_file_in_a_checkpoint_to_begin_from_is_refused_at_once(
    corpus: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(tiny_checkpoint, corpus.parent / "begun")
    (folder / "README.md").unlink()
    put_fifo(folder / "README.md")
    fields = {"embedding_size": None, "hidden_size": None, "init_from": folder, "steps": 3}
    with time_limit():
        message = refusal(capsys, arguments(corpus, "one", **fields))
    assert "README.md: a FIFO, not a regular file" in message


def test_a_name_steers_no_terminal(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = refusal(capsys, arguments(corpus.with_name("red\x1b[31m\x9b.txt"), "one", steps=3))
    assert "red\\x1b[31m\\x9b.txt" in message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"valid_corpus": "poems.txt"}, "valid_corpus"),
        ({"tokenizer": "bpe"}, "tokenizer: "),
        ({"split": "contiguous"}, "prepared with 'documents'"),
    ],
)
def test_a_prepared_corpus_does_not_take_other_options(
    corpus: Path,
    capsys: pytest.CaptureFixture[str],
    fields: dict[str, object],
    message: str,
) -> None:
    prepare([str(corpus)], corpus.parent / "data", CorpusOptions())
    args = arguments(corpus.parent / "data", "one", steps=3, **fields)
    assert message in refusal(capsys, args)


def test_a_corpus_folder_that_holds_the_runs_is_refused(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = arguments(corpus, "one", steps=3)
    args[args.index("--corpus") + 1] = str(corpus.parent)
    assert "put one of them elsewhere" in refusal(capsys, args)
    assert not (corpus.parent / "runs" / "one").exists()
