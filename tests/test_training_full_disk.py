"""A full disk: one line names the file and says how to go on, and what was there stays.

Here the largest size of a file stands for it, which the system refuses at the same places.
"""

import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from training_runs import arguments, edit, refusal, resuming
from tuning import tune

from model.atomic_write import replacing_folder, write_file
from training.__main__ import main
from training.figure_file import save_figure
from training.run_log import METRICS, RunLog


@contextmanager
def largest_file(num_bytes: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_run_says_how_to_go_on_keeps_its_last_state_and_goes_on(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(corpus, "one", steps=5)) == 0
    run = corpus.parent / "runs" / "one"
    edit(run / "config.json", steps=9)
    before = {path.name: path.read_bytes() for path in (run / "last").iterdir()}
    with largest_file(4000):
        message = refusal(capsys, resuming(corpus, "one"))
    assert "/runs/one/last: File too large; when that is mended, go on with: " in message
    assert message.endswith(f"train --resume --name one --runs-dir {run.parent}")
    assert {path.name: path.read_bytes() for path in (run / "last").iterdir()} == before
    assert not list(run.glob(".tmp-*"))
    assert main(resuming(corpus, "one")) == 0


@pytest.mark.parametrize("named", [METRICS, "tensorboard"])
def test_the_log_of_a_run_names_its_file_and_shows_no_traceback_of_a_thread(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], named: str
) -> None:
    # A text is longer as a line of JSON, a number as an event.
    values = {"sample": "\n" * 300} if named == METRICS else {"loss": 1.0}

    def write_on() -> None:
        with RunLog(tmp_path) as log:
            for step in range(10_000):
                log.write(step, **values)

    with largest_file(4000), pytest.raises(OSError, match="too large") as failed:
        write_on()
    assert failed.value.filename == str(tmp_path / named)
    assert capfd.readouterr().err == ""


def replaced_folder(target: Path) -> None:
    with replacing_folder(target) as partial:
        (partial / "weights").write_bytes(bytes(100_000))


@pytest.mark.parametrize(
    "write",
    [
        replaced_folder,
        lambda target: write_file(target, "x" * 100_000),
        lambda target: save_figure(Figure(), target),
    ],
    ids=["folder", "text", "figure"],
)
def test_what_cannot_be_written_is_named(tmp_path: Path, write: Callable[[Path], None]) -> None:
    target = tmp_path / "mine"
    limit: AbstractContextManager[None] = largest_file(1000)
    with limit, pytest.raises(OSError, match="too large") as failed:
        write(target)
    assert failed.value.filename == str(target)


def test_a_corpus_that_cannot_be_written_is_named_and_leaves_no_run(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = corpus.parent / "data"
    with largest_file(1000):
        prepared = refusal(capsys, ["prepare", "--corpus", str(corpus), "--out", str(data)])
        trained = refusal(capsys, arguments(corpus, "one", steps=3))
    assert prepared == f"error: {data}: File too large"
    assert trained == f"error: {corpus.parent}/runs/one/data: File too large"
    assert not data.exists()
    assert not (corpus.parent / "runs" / "one").exists()


@pytest.mark.parametrize("num_bytes", [1000, 30_000])
def test_a_search_is_gone_on_with_by_the_same_command(
    corpus: Path, capsys: pytest.CaptureFixture[str], num_bytes: int
) -> None:
    home = corpus.parent
    (home / "space.toml").write_text("learning_rate = {low = 0.001, high = 0.1}")
    args = tune(home, trials=1, steps=2)
    with largest_file(num_bytes):
        message = refusal(capsys, args)
    assert f"{home}/searches/tiny/" in message
    assert main(args) == 0


def test_an_evaluation_that_cannot_be_written_is_named(
    corpus: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = corpus.parent / "out"
    args = ["--checkpoint", str(tiny_checkpoint), "--corpus", str(corpus), "--out", str(out)]
    with largest_file(10):
        message = refusal(capsys, ["evaluate", *args])
    assert message == f"error: {out / 'evaluation.json'}: File too large"
