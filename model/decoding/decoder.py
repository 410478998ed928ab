"""Decoder: a network bound to the decode backend chosen for it and this machine, int8 or fp32.
How long a chunk of a prompt is, and how many rows go together, is decided here as well.

    int8   8-bit weights and hidden states with exact sums: plain stacks on CPUs. The fast one.
    fp32   float32 in blocks of one fixed shape: every network, every device.

`auto` takes int8 where it can be had, else fp32. Both keep the promise of the seed: the same
checkpoint and request with a seed give the same bits, whatever else is running, because no number
of a row depends on its neighbours or on how many they are. On the int8 backend none depends on the
machine or the number of threads either.

Knows nothing of sampling, text and threads.
"""

import os
from dataclasses import dataclass

import torch
from torch import Tensor

from model.decoding.backends.base import Backend
from model.decoding.backends.fp32 import SHARED_FROM, Fp32Backend, is_position_free
from model.decoding.backends.int8 import Int8Backend, table_bytes, why_not_exact
from model.decoding.cuda_graphs import CudaGraphLoop
from model.decoding.decode_loop import DecodeLoop, KernelLoop, TorchLoop
from model.errors import ParameterError
from model.network import Network
from model.parameters import BackendName

CHUNK = 32  # ids of a prompt that are fed at a time
FED_TOGETHER = 16  # prompts that the int8 backend feeds as rows of one batch
SCORED_LOGITS = 1 << 19  # in one call, at most: some 10 ms, so that running texts do not wait
# Rows of one float32 product. On a CPU one text costs as much as a block: with 16 rows a tenth to a
# half more than with 8, and 64 texts little more than half. On a GPU, where a step of a few hundred
# rows takes the time of one, it costs next to nothing.
BLOCK_ROWS = {"cpu": 16, "cuda": 64}
MAX_TABLE_BYTES = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoder:
    """Decoder: a network bound to the decode backend chosen for it, int8 or fp32."""

    network: Network
    backend_name: BackendName  # never auto
    backend: Backend
    loop: DecodeLoop
    fed_together: int  # prompts to feed in one call
    vocab_size: int
    device: torch.device

    def zero_state(self, rows: int) -> list[Tensor]:
        """Zero state, that before any text, for `rows` rows."""
        return self.backend.zero_state(rows)

    @property
    def is_exact(self) -> bool:
        """Exactness of states: True where ids read at once and one by one leave the same bits."""
        return self.backend_name == "int8"

    @property
    def scored_together(self) -> int:
        """Number of prompts to feed in one call where they are scored: each id has its logits."""
        return max(1, min(self.fed_together, SCORED_LOGITS // (CHUNK * self.vocab_size)))


@torch.inference_mode()
def decoder_of(network: Network, backend: BackendName = "auto") -> Decoder:
    """Choose the backend for a network and bind them; its weights must not change any more.

    Raises ParameterError (field `path`, as the setting and the flag are called) when int8 is asked
    for and cannot be had.
    """
    obstacle = why_not_int8(network)
    if backend == "int8" and obstacle is not None:
        raise ParameterError("path", f"int8 cannot be had: {obstacle}; choose auto or fp32")
    if backend == "fp32" or obstacle is not None:
        return _fp32_decoder(network)
    return _int8_decoder(network)


def why_not_int8(network: Network) -> str | None:
    """Reason why a network cannot have the int8 backend; None when it can."""
    config = network.config
    if network.device.type != "cpu":
        return f"it is for CPUs, and the weights are on {network.device}"
    if not config.is_plain:
        return f"it is for plain stacks of layers, and this network is {config.summary}"
    if table_bytes(network) > MAX_TABLE_BYTES:
        return f"a vocabulary of {config.vocab_size} tokens is too large for its table"
    return why_not_exact(network)


def _int8_decoder(network: Network) -> Decoder:
    backend = Int8Backend(network)
    return Decoder(
        network=network,
        backend_name="int8",
        backend=backend,
        loop=_kernel_loop(backend, network),
        fed_together=FED_TOGETHER,
        vocab_size=network.config.vocab_size,
        device=network.device,
    )


def _fp32_decoder(network: Network) -> Decoder:
    is_cuda = network.device.type == "cuda"
    if is_cuda:
        # cuDNN's recurrent layers repeat their bits only with this (torch's page on nn.LSTM), set
        # before they are first used, which is in `is_position_free`. Not where the device is
        # resolved: training resolves one too, and has no use for it. 8 MB, which torch's page
        # names, would be too few for the kernels that are fast with few rows: a product of 64 took
        # twice as long.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    unshared = max(1, (SHARED_FROM - 1) // network.config.hidden_size)
    rows = min(BLOCK_ROWS[network.device.type], unshared)
    if not is_position_free(network, rows):
        rows = 1
    backend = Fp32Backend(network, block_rows=rows, chunk=CHUNK)
    return Decoder(
        network=network,
        backend_name="fp32",
        backend=backend,
        loop=CudaGraphLoop(TorchLoop(backend), rows) if is_cuda else _kernel_loop(backend, network),
        fed_together=1,
        vocab_size=network.config.vocab_size,
        device=network.device,
    )


def _kernel_loop(backend: Backend, network: Network) -> KernelLoop:
    loop = KernelLoop(backend)
    loop.compile(network.config.vocab_size)
    return loop
