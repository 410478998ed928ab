"""A device is asked for by name; a wrong name or a missing GPU is one clear error."""

from contextlib import nullcontext

import pytest
import torch

from model.config import ModelConfig
from model.device import has_bf16_lstm, has_fast_bf16, resolve_device
from model.errors import MAX_SHOWN_INPUT, ParameterError
from model.network import Network


def test_the_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


def test_auto_takes_a_gpu_where_there_is_one() -> None:
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert resolve_device("auto").type == expected


@pytest.mark.parametrize(
    "name",
    ["", "gpu", "CPU", " cpu", "cpu\n", "cpu:", "cpu:0", "meta", "mps", "cuda:", "cuda:-1"],
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


@pytest.mark.parametrize("variable", ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"])
@pytest.mark.parametrize("isa", ["AVX2", "avx2_vnni", "AVX512_CORE_VNNI"])
def test_bf16_is_not_fast_where_onednn_may_not_use_what_the_cpu_has(
    monkeypatch: pytest.MonkeyPatch, variable: str, isa: str
) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)  # it comes before the other
    monkeypatch.setenv(variable, isa)
    assert not has_fast_bf16(torch.device("cpu"))


def test_a_network_can_be_trained_in_bf16_just_where_its_device_says_so() -> None:
    config = ModelConfig(vocab_size=9, embedding_size=16, hidden_size=24, num_layers=2)
    network = Network(config).initialise().train()
    before = torch.get_rng_state()
    has_kernel = has_bf16_lstm(torch.device("cpu"))
    assert torch.equal(torch.get_rng_state(), before)
    fails = nullcontext() if has_kernel else pytest.raises(RuntimeError)
    with fails, torch.autocast("cpu", torch.bfloat16):
        logits, _ = network(torch.ones(3, 7, dtype=torch.int64), network.zero_state(3))
        logits.float().sum().backward()
