"""Golden poems: the same request and seed give the same poem on every machine.

Run under NUMBA_CPU_NAME, ONEDNN_MAX_CPU_ISA and ATEN_CPU_CAPABILITY (`make test-avx2`) these are
tests of other CPUs than the one at hand.
"""

import json

import pytest
from golden_poems import GOLDEN, digests, requests

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import LoadedCheckpoint
from verse.poem_request import PoemRequest


@pytest.fixture(scope="module")
def loaded() -> LoadedCheckpoint:
    return checkpoints.load(pretrained.DEFAULT)


def test_the_golden_poems_are_of_the_checkpoint_that_ships(loaded: LoadedCheckpoint) -> None:
    assert json.loads(GOLDEN.read_text(encoding="utf-8"))["checkpoint"] == loaded.digest


def test_every_field_of_a_poem_takes_several_values_in_the_requests() -> None:
    for name in PoemRequest.model_fields:
        assert len({str(getattr(request, name)) for request in requests()}) > 1, name


def test_every_machine_composes_the_golden_poems(loaded: LoadedCheckpoint) -> None:
    assert digests(loaded) == json.loads(GOLDEN.read_text(encoding="utf-8"))["digests"]
