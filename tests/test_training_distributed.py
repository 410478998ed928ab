"""Several processes train one network: as one would, and on through a death."""

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from forked import Forked
from rich.console import Console
from safetensors.torch import load_file
from training_runs import arguments, refusal, resuming, save_seldom, saved_step
from waiting import wait_until

from model.errors import ModelError, ParameterError
from training.__main__ import main
from training.distributed import FRESH_STORE, SINGLE_PROCESS, ProcessGroup
from training.run import start
from training.run_log import read_metrics
from training.train_config import checked

STEPS = 60
START_S = 120.0  # torchrun and two workers, which all load torch, on a machine with other work


def torchrun(args: list[str], *, restarts: int = 0) -> Forked:
    """The command in two processes on this machine."""
    launcher = ["-m", "torch.distributed.run", "--standalone"]
    count = ["--nproc-per-node", "2", "--max-restarts", str(restarts)]
    command = [*launcher, *count, "-m", "training", *args]
    return Forked(command, environment={**os.environ, FRESH_STORE: "1"})


def two_processes(args: list[str]) -> list[Forked]:
    """Start two processes without torchrun, which says just this to them and starts them anew."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
    place |= {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    return [
        Forked(
            ["-m", "training", *args],
            environment={**os.environ, **place, "RANK": rank, "LOCAL_RANK": rank},
        )
        for rank in ("0", "1")
    ]


def finished(*processes: Forked) -> str:
    """Output of processes, once all have ended well."""
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert {process.returncode for process in processes} == {0}, said
    return "".join(said)


def last_state(corpus: Path, name: str, file: str) -> dict[str, torch.Tensor]:
    return load_file(corpus.parent / "runs" / name / "last" / file)


def progress_of(corpus: Path, name: str) -> dict[str, int]:
    path = corpus.parent / "runs" / name / "last" / "progress.json"
    progress: dict[str, int] = json.loads(path.read_text())
    return progress


def children(pid: int) -> list[int]:
    return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_two_processes_make_the_updates_of_one(corpus: Path) -> None:
    """In float32 and without dropout, whose masks are each process's own."""
    fields = {"dropout": 0, "precision": "fp32", "steps": 200, "batch_size": 6, "averaging": 1}
    # What hangs on validations has to be agreed on: falling rates, averaging, and stopping early.
    fields |= {"evaluations": 50, "schedule": "plateau", "plateau_patience": 1, "patience": 3}
    fields |= {"averaging_patience": 2, "learning_rate": 0.1}
    assert main(arguments(corpus, "one", **fields)) == 0
    said = finished(*two_processes(arguments(corpus, "two", **fields)))
    assert said.count("done: ") == 1  # one of them speaks
    one, two = (read_metrics(corpus.parent / "runs" / name) for name in ("one", "two"))
    assert 0 < progress_of(corpus, "one")["averaging_since"] < progress_of(corpus, "one")["step"]
    assert progress_of(corpus, "one")["step"] < 200
    assert [line["step"] for line in one] == [line["step"] for line in two]
    for figure in ("train_nats", "gradient_norm", "learning_rate", "valid_nats", "final_nats"):
        lines = [(a[figure], b[figure]) for a, b in zip(one, two, strict=True) if figure in a]
        assert lines, figure
        assert [b for _, b in lines] == pytest.approx([a for a, _ in lines], rel=1e-4)
    for file in ("model.safetensors", "average.safetensors", "carried.safetensors"):
        alone, together = last_state(corpus, "one", file), last_state(corpus, "two", file)
        for name, tensor in alone.items():
            torch.testing.assert_close(together[name], tensor, rtol=1e-2, atol=1e-4)


def test_a_worker_that_dies_leaves_no_trace_in_the_result(corpus: Path) -> None:
    """torchrun starts both again; the state that was saved last is gone on with, bit by bit."""
    fields = {"steps": STEPS, "weight_drop": 0.2, "state_reset": 0.2}
    finished(*two_processes(arguments(corpus, "whole", **fields)))
    command = arguments(corpus, "hurt", **fields, save_seconds=0.05)
    process = torchrun(command, restarts=1)
    wait_until(lambda: saved_step(corpus, "hurt") > 10, START_S)
    os.kill(children(process.pid)[-1], signal.SIGKILL)
    assert finished(process).count("done: ") == 1  # one of them speaks
    assert progress_of(corpus, "hurt")["step"] == STEPS
    for file in ("model", "optimizer", "carried", "random"):
        whole, hurt = (last_state(corpus, n, f"{file}.safetensors") for n in ("whole", "hurt"))
        assert whole.keys() == hurt.keys()
        assert all(torch.equal(whole[name], hurt[name]) for name in whole), file
    assert not torch.equal(
        last_state(corpus, "whole", "random.safetensors")["cpu"],
        last_state(corpus, "whole", "random.safetensors")["cpu.1"],
    )


def test_a_stop_of_one_saves_and_ends_both_and_one_alone_can_go_on(corpus: Path) -> None:
    process = torchrun(arguments(corpus, "cut", steps=400, save_seconds=0.05))
    wait_until(lambda: saved_step(corpus, "cut") > 5, START_S)
    os.kill(children(process.pid)[-1], signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0
    assert said.count("go on with: strophe train --resume") == 1
    assert 5 < saved_step(corpus, "cut") < 400
    save_seldom(corpus, "cut")
    hidden = last_state(corpus, "cut", "carried.safetensors")["hidden"]
    assert hidden.shape[1] == 4
    assert main(resuming(corpus, "cut")) == 0
    assert progress_of(corpus, "cut")["step"] == 400


def test_torchrun_does_not_take_over_another_run_of_that_name(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(arguments(corpus, "old", steps=3)) == 0
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "strophe-train")
    assert "exists" in refusal(capsys, arguments(corpus, "old", steps=5))
    assert progress_of(corpus, "old")["step"] == 3


def test_a_machine_that_is_back_goes_on_though_its_torchrun_has_restarted_nothing(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first checkpoint is named by its name, which the run's config holds as a folder."""
    assert main(arguments(corpus, "first", steps=3)) == 0
    shape = {"embedding_size": None, "hidden_size": None}
    again = arguments(corpus, "second", steps=3, init_from="first", **shape)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "strophe-train")
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "0")
    assert main(again) == 0
    assert main(again) == 0
    assert "it had come to its end" in capsys.readouterr().err
    assert progress_of(corpus, "second")["step"] == 3


def test_a_run_of_many_needs_a_name(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert refusal(capsys, arguments(corpus, None, steps=1)).startswith(
        "error: name: must be given"
    )


def test_restarts_that_would_wait_for_the_dead_are_refused(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("TORCHELASTIC_MAX_RESTARTS", "3")
    assert f"--max-restarts 3 needs {FRESH_STORE}=1" in refusal(capsys, arguments(corpus, "one"))


def test_a_batch_that_cannot_be_shared_out_is_refused(corpus: Path) -> None:
    class OneOfTwo(ProcessGroup):
        size = 2

    fields = {"steps": 1, "batch_size": 3, "runs_dir": corpus.parent / "runs"}
    config = checked({**fields, "corpus": (str(corpus),)})
    with pytest.raises(ParameterError, match="batch_size: must be a multiple of 2"):
        start(config, Console(quiet=True), OneOfTwo())


@pytest.mark.parametrize(
    "field", [{"device": "cuda:99"}, {"init_from": "nowhere"}], ids=["device", "init_from"]
)
def test_a_field_that_will_not_do_fails_in_the_writer_while_the_others_wait_for_it(
    corpus: Path, field: dict[str, object]
) -> None:
    """Where it failed outside, the others could be waiting for an agreement that never comes."""

    class Observed(ProcessGroup):
        has_ended_all = False

        def run_on_writer(self, work: Callable[[], None]) -> None:
            try:
                work()
            except ModelError:
                self.has_ended_all = True
                raise

    group, home = Observed(), corpus.parent
    places = {"runs_dir": home / "runs", "checkpoints_dir": home / "checkpoints"}
    config = checked({"steps": 1, "precision": "bf16", "corpus": (str(corpus),), **places, **field})
    with pytest.raises(ModelError):
        start(config, Console(quiet=True), group)
    assert group.has_ended_all
    assert list(home.iterdir()) == [corpus]


def test_a_process_alone_agrees_with_itself() -> None:
    assert SINGLE_PROCESS.broadcast(0.5) == 0.5
    assert SINGLE_PROCESS.any(flag=True)
    assert not SINGLE_PROCESS.any(flag=False)
    assert SINGLE_PROCESS.share(7) == slice(0, 7)
    assert torch.equal(SINGLE_PROCESS.mean(torch.tensor(3.0)), torch.tensor(3.0))
