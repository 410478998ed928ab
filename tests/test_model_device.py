"""A device is asked for by name; a wrong name or a missing GPU is one clear error."""

import pytest
import torch

from model.device import has_fast_bf16, resolve_device
from model.errors import MAX_SHOWN_INPUT, ParameterError


def test_the_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


def test_auto_takes_a_gpu_where_there_is_one() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected


@pytest.mark.parametrize(
    "name",
    ["", "gpu", "CPU", " cpu", "cpu\n", "cpu:", "cpu:0", "meta", "cuda:", "cuda:-1"],
)
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match="must be auto, cpu, cuda or cuda:N") as caught:
        resolve_device(name)
    assert caught.value.field == "device"


@pytest.mark.parametrize("index", ["01", "x", "0:1", "99999", "\u0661", "\u00b2"])
def test_an_index_that_torch_would_not_take_is_refused(index: str) -> None:
    with pytest.raises(ParameterError, match="must be auto, cpu, cuda or cuda:N"):
        resolve_device(f"cuda:{index}")


def test_a_long_name_is_shown_in_part() -> None:
    with pytest.raises(ParameterError) as caught:
        resolve_device("x" * 10_000)
    assert len(str(caught.value)) < 100 + MAX_SHOWN_INPUT


def test_a_gpu_that_is_not_there_is_refused() -> None:
    count = torch.cuda.device_count()
    with pytest.raises(ParameterError, match=f"cuda:{count} was asked for and {count} GPUs"):
        resolve_device(f"cuda:{count}")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("name", ["cuda", "cuda:0"])
def test_a_gpu_that_is_there_is_taken(name: str) -> None:
    assert resolve_device(name) == torch.device(name)


def test_whether_bf16_is_fast_is_a_plain_answer() -> None:
    assert has_fast_bf16(torch.device("cpu")) in (True, False)
