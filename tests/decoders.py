"""Decoders by name: every backend and decode loop, for tests that hold on each of them."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from model.decoding.cuda_graphs import CudaGraphLoop
from model.decoding.decode_loop import Outputs, TorchLoop
from model.decoding.decoder import Decoder, decoder_of
from model.network import Network

DECODERS = [
    "int8",
    "fp32",
    "recorded",
    pytest.param("cuda", marks=pytest.mark.gpu),
]
RECORDED_BLOCK = 4


def decoder_by(name: str, network: Network) -> Decoder:
    """Decoder by name; skips the test where this machine has not what the decoder needs."""
    if name == "cuda":
        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")
        return decoder_of(deepcopy(network).to("cuda"))
    if name == "recorded":
        return recorded(decoder_of(network, "fp32"))
    return decoder_of(network, "int8" if name == "int8" else "fp32")


def recorded(decoder: Decoder) -> Decoder:
    """Decoder with a CUDA graph's loop on the CPU: on fixed memory, filled up with idle rows."""
    loop = CudaGraphLoop(TorchLoop(decoder.backend), RECORDED_BLOCK, record_on_cpu)
    return replace(decoder, loop=loop)


def record_on_cpu(
    run: Callable[[], Outputs], device: torch.device
) -> tuple[Outputs, Callable[[], None]]:
    """Record in place of a CUDA graph: a replay runs again, over the first run's outputs."""
    outputs = run()

    def replay() -> None:
        for kept, new in zip(outputs, run(), strict=True):
            kept.copy_(new)

    return outputs, replay
