"""Every way to decode from a network, by name, for tests that hold on each of them."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from model.decoding.backends.int8_linear import exact_levels
from model.decoding.cuda_graphs import GraphedProgram
from model.decoding.decode_loop import Outputs, Program
from model.decoding.decoder import Decoder, decoder_of
from model.network import Network

DECODERS = [
    "int8",
    "int8-in-python",
    "fp32",
    "recorded",
    pytest.param("cuda", marks=pytest.mark.gpu),
]
RECORDED_BLOCK = 4


def decoder_by(name: str, network: Network) -> Decoder:
    """The decoder of that name, or a skip where this machine has not what it needs."""
    if name == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")
        return decoder_of(deepcopy(network).to("cuda"))
    if name.startswith("int8") and exact_levels() == 0:
        pytest.skip("the integer products of this machine are not exact")
    if name == "int8-in-python":
        decoder = decoder_of(network, "int8")
        return replace(decoder, program=Program(decoder.path).eval())
    if name == "recorded":
        return recorded(decoder_of(network, "fp32"))
    return decoder_of(network, "int8" if name == "int8" else "fp32")


def recorded(decoder: Decoder) -> Decoder:
    """As a CUDA graph would run it: on fixed memory, filled up with rows of no interest."""
    program = GraphedProgram(Program(decoder.path).eval(), RECORDED_BLOCK, record_on_cpu)
    return replace(decoder, program=program)


def record_on_cpu(
    run: Callable[[], Outputs], device: torch.device
) -> tuple[Outputs, Callable[[], None]]:
    """In place of a CUDA graph: runs again and writes over the outputs of the first run."""
    outputs = run()

    def replay() -> None:
        for kept, new in zip(outputs, run(), strict=True):
            kept.copy_(new)

    return outputs, replay
