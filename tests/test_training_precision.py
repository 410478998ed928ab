"""bf16 where a CPU has no kernel for it: refused before any work, and never taken by itself."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from training_runs import arguments, resuming
from tuning import tune

from model.config import Cell, ModelConfig
from model.device import has_bf16_lstm, has_fast_bf16
from model.errors import ParameterError
from training.__main__ import main
from training.distributed import SINGLE_PROCESS, ProcessGroup
from training.optimization.precision import autocast_dtype
from training.train_config import checked

CPU = torch.device("cpu")
# What a CPU without AVX512 can do, on one that can do more: oneDNN and torch confine themselves.
AVX2 = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
IN_TURN = """
import json, sys
from training.__main__ import main
for args in json.load(sys.stdin):
    print("exit code", main(args), file=sys.stderr, flush=True)
"""

on_x86 = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the variables are for x86"
)


class OneOfTwo(ProcessGroup):
    """The writer, beside a process whose machine can do nothing in bf16."""

    size = 2

    def any(self, flag: bool) -> bool:
        return True


def inventory(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def network(cell: Cell = "lstm", **fields: int) -> ModelConfig:
    sizes = {"vocab_size": 20, "embedding_size": 8, "hidden_size": 8}
    return ModelConfig.model_validate({"cell": cell, **sizes, **fields})


def dtype_of(
    precision: str, architecture: ModelConfig, group: ProcessGroup = SINGLE_PROCESS
) -> object:
    config = checked({"steps": 1, "precision": precision})
    return autocast_dtype(config, architecture, CPU, group)


@on_x86
def test_an_lstm_in_bf16_is_refused_in_one_line_on_a_cpu_that_has_no_kernel_for_it(
    corpus: Path,
) -> None:
    command = [sys.executable, "-m", "training", *arguments(corpus, "one", steps=3)]
    command += ["--precision", "bf16"]
    before = inventory(corpus.parent)
    ended = subprocess.run(command, capture_output=True, text=True, env=AVX2, check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    line = "error: precision: the cpu has no kernel for an lstm in bf16; give auto or fp32\n"
    assert ended.stderr == line
    assert inventory(corpus.parent) == before
    assert list(corpus.parent.iterdir()) == [corpus]


@on_x86
def test_only_what_cannot_be_done_is_refused_there_and_nothing_is_written(corpus: Path) -> None:
    home = corpus.parent
    (home / "space.toml").write_text("clip = {low = 0.5, high = 2}", encoding="utf-8")
    assert main(arguments(corpus, "begun", precision="fp32", steps=3)) == 0
    begun = home / "runs" / "begun" / "config.json"
    begun.write_text(begun.read_text().replace('"fp32"', '"bf16"'))
    assert main(arguments(corpus, "gru", cell="gru", steps=3)) == 0
    init_from = {"embedding_size": None, "hidden_size": None, "steps": 2, "precision": "bf16"}
    refused = [
        resuming(corpus, "begun"),
        tune(home, steps=2, precision="bf16"),
        arguments(corpus, "a", **init_from, init_from=home / "checkpoints" / "begun"),
    ]
    possible = [
        arguments(corpus, "b", **init_from, init_from=home / "checkpoints" / "gru"),
        arguments(corpus, "c", steps=2, precision="bf16", cell="rnn"),
        arguments(corpus, "d", steps=2, precision="bf16", mogrifier_rounds=2),
        arguments(corpus, "e", steps=2, precision="auto"),
    ]
    before = inventory(begun.parent)
    assert _exit_codes([*refused, *possible]) == [2, 2, 2, 0, 0, 0, 0]
    assert inventory(begun.parent) == before
    assert {folder.name for folder in (home / "runs").iterdir()} == {"begun", "gru", *"bcde"}
    assert not (home / "searches").exists()


def _exit_codes(commands: list[list[str]]) -> list[int]:
    """How commands end, one after another, in a process whose CPU has AVX2 only."""
    ended = subprocess.run(
        [sys.executable, "-c", IN_TURN],
        input=json.dumps(commands),
        capture_output=True,
        text=True,
        env=AVX2,
        check=True,
    )
    said = ended.stderr.splitlines()
    assert "Traceback" not in ended.stderr
    codes = [int(line.split()[-1]) for line in said if line.startswith("exit code")]
    refusals = [line for line in said if line.startswith("error:")]
    assert len(refusals) == codes.count(2)
    assert all(line.startswith("error: precision: ") for line in refusals)
    return codes


def test_bf16_is_taken_where_it_was_asked_for_and_can_be_had() -> None:
    assert dtype_of("bf16", network("gru")) == torch.bfloat16
    assert dtype_of("bf16", network(mogrifier_rounds=1)) == torch.bfloat16
    if has_bf16_lstm(CPU):
        assert dtype_of("bf16", network()) == torch.bfloat16
    else:
        with pytest.raises(ParameterError, match="precision: the cpu has no kernel for an lstm"):
            dtype_of("bf16", network())


def test_auto_takes_bf16_where_it_is_fast() -> None:
    is_fast = has_fast_bf16(CPU)
    assert dtype_of("auto", network("gru")) == (torch.bfloat16 if is_fast else None)
    is_fast_for_lstms = is_fast and has_bf16_lstm(CPU)
    assert dtype_of("auto", network()) == (torch.bfloat16 if is_fast_for_lstms else None)
    assert dtype_of("fp32", network()) is None


def test_processes_take_what_all_of_them_can_do() -> None:
    assert dtype_of("auto", network(), OneOfTwo()) is None
    assert dtype_of("bf16", network("rnn"), OneOfTwo()) == torch.bfloat16
    with pytest.raises(ParameterError, match="the cpu of one of the processes has no kernel"):
        dtype_of("bf16", network(), OneOfTwo())
