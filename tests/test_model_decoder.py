"""Decoder: which backend a network and a machine get, and what keeps a network from int8."""

from pathlib import Path

import pytest
import torch
from decoders import decoder_by

from model import checkpoint as checkpoints
from model.config import ModelConfig
from model.decoding.cuda_graphs import CudaGraphLoop
from model.decoding.decoder import MAX_TABLE_BYTES, decoder_of, why_not_int8
from model.errors import ParameterError
from model.network import Network


def network_of(**fields: object) -> Network:
    config = ModelConfig.model_validate({"vocab_size": 30, "hidden_size": 32, **fields})
    return Network(config).initialise().eval()


def test_an_lstm_on_a_cpu_gets_the_int8_backend_unless_told_otherwise() -> None:
    network = network_of()
    assert decoder_of(network).backend_name == decoder_of(network, "int8").backend_name == "int8"
    assert decoder_of(network, "fp32").backend_name == "fp32"


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_plain_stack_on_a_cpu_gets_the_int8_backend_whatever_its_cell(cell: str) -> None:
    assert decoder_of(network_of(cell=cell)).backend_name == "int8"


@pytest.mark.parametrize("extra", [{"layer_norm": True}, {"skip": True}, {"mogrifier_rounds": 2}])
def test_other_networks_get_the_fp32_backend_and_int8_is_refused(extra: dict[str, object]) -> None:
    network = network_of(**extra)
    assert decoder_of(network).backend_name == "fp32"
    with pytest.raises(ParameterError, match="plain stacks of layers, and this network is lstm "):
        decoder_of(network, "int8")


def test_a_vocabulary_too_large_for_the_table_gets_the_fp32_backend() -> None:
    with torch.device("meta"):
        too_many = MAX_TABLE_BYTES // (4 * 32 * 4) + 1
        config = ModelConfig(vocab_size=too_many, embedding_size=8, hidden_size=32)
        network = Network(config)
    network.embedding.weight = torch.nn.Parameter(torch.empty(0))  # on the CPU
    assert "too large" in str(why_not_int8(network))


@pytest.mark.parametrize("size", [torch.inf, torch.nan, 3e38])
@pytest.mark.parametrize("weight", ["embedding.weight", "layers.1.weight_hh_l0", "output.bias"])
def test_weights_that_may_overflow_get_the_fp32_backend_where_a_row_can_fail_alone(
    weight: str, size: float
) -> None:
    network = network_of()
    dict(network.named_parameters())[weight].data[:2] = size
    assert "overflow" in str(why_not_int8(network))


@pytest.mark.gpu
def test_auto_takes_graphs_on_a_gpu(tiny_checkpoint: Path) -> None:
    decoder = decoder_by("cuda", checkpoints.load(tiny_checkpoint).network)
    assert isinstance(decoder.loop, CudaGraphLoop)
