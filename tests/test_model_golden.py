"""Golden texts: the same request and seed give the same bytes on every machine, in any batch.

Run under NUMBA_CPU_NAME, ONEDNN_MAX_CPU_ISA and ATEN_CPU_CAPABILITY (`make test-avx2`) these are
tests of other CPUs than the one at hand.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from golden_requests import PROMPTS, ROOT, digests, golden_of, requests, requests_of

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import LoadedCheckpoint
from model.parameters import SamplingParams

PLAIN = """
import sys
from pathlib import Path
from model import checkpoint
from test_model_golden import short_digests
print(*short_digests(checkpoint.load(Path(sys.argv[1]))), sep="\\n")
"""


def short_digests(loaded: LoadedCheckpoint) -> list[str]:
    """Digests of a few characters for some requests, one by one and together."""
    wanted = [(p, each.model_copy(update={"max_tokens": 6})) for p, each in requests()[:6]]
    return digests(loaded, wanted, 1) + digests(loaded, wanted[:3], 3)


@pytest.fixture(scope="module")
def loaded() -> LoadedCheckpoint:
    return checkpoints.load(pretrained.DEFAULT)


@pytest.fixture(scope="module")
def golden() -> list[str]:
    return list(golden_of(pretrained.DEFAULT.name)["digests"])


def test_the_golden_file_is_of_the_checkpoint_that_ships(loaded: LoadedCheckpoint) -> None:
    assert golden_of(pretrained.DEFAULT.name)["checkpoint"] == loaded.digest


def test_every_sampling_parameter_takes_several_values_in_the_requests() -> None:
    made = requests()
    assert {prompt for prompt, _ in made} == set(PROMPTS)
    for name in SamplingParams.model_fields:
        assert len({str(getattr(params, name)) for _, params in made}) > 1


def test_every_machine_writes_the_golden_texts(loaded: LoadedCheckpoint, golden: list[str]) -> None:
    assert digests(loaded, requests()) == golden


@pytest.mark.parametrize("name", pretrained.NAMES[1:])
def test_every_machine_writes_the_golden_texts_of_the_other_models(name: str) -> None:
    other, golden = checkpoints.load(pretrained.FOLDER / name), golden_of(name)
    assert golden["checkpoint"] == other.digest
    assert digests(other, requests_of(name)) == golden["digests"]


@pytest.mark.parametrize(("rows", "count", "threads"), [(1, 60, 1), (2, 20, 2), (7, 70, 3)])
def test_the_golden_texts_do_not_tell_rows_and_threads(
    rows: int, count: int, threads: int, loaded: LoadedCheckpoint, golden: list[str]
) -> None:
    torch.set_num_threads(threads)
    assert digests(loaded, requests()[:count], rows) == golden[:count]


def test_kernels_compiled_and_as_plain_python_write_the_same(tiny_checkpoint: Path) -> None:
    """Python's own arithmetic is IEEE's: LLVM has neither contracted nor reordered it."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    plain = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN, str(tiny_checkpoint)],
        env={**os.environ, "PYTHONPATH": path, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert plain.split("\n")[:-1] == short_digests(checkpoints.load(tiny_checkpoint))
