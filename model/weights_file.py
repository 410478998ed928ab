"""Weights of a checkpoint as a safetensors file: written, held against an architecture, and read.

Knows nothing of the checkpoint's other files.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Literal

import safetensors.torch
import torch
from torch import Tensor

from model.available_memory import available_memory
from model.config import ModelConfig
from model.errors import MAX_SHOWN_INPUT, CheckpointError, shortened
from model.network import Network

MAX_HEADER = 1 << 20  # bytes: names, types, shapes and places of the weights
MAX_LISTED = 8  # names in a message
LOADING_FACTOR = 4  # memory that loading takes at its peak, in sizes of the file

Precision = Literal["bf16", "fp32"]
_DTYPES: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp32": torch.float32}
_STORED_DTYPES = {"BF16": torch.bfloat16, "F32": torch.float32}  # as safetensors calls them


def distinct_weights(network: Network) -> dict[str, Tensor]:
    """Weights of a network by name, each once: a tied output is stored as the embedding alone."""
    return dict(network.named_parameters(remove_duplicate=True))


def serialized_weights(network: Network, precision: Precision) -> bytes:
    """Serialize the weights of a network, rounded to `precision`."""
    dtype = _DTYPES[precision]
    return safetensors.torch.save(
        {
            name: weight.detach().to("cpu", dtype).contiguous()
            for name, weight in distinct_weights(network).items()
        }
    )


def max_weights(architecture: ModelConfig) -> int:
    """Size in bytes that the weights of a network of this architecture cannot exceed on disk."""
    return MAX_HEADER + 4 * sum(weight.numel() for weight in _shapes(architecture).values())


def _shapes(architecture: ModelConfig) -> dict[str, Tensor]:
    """Weights of a network of this architecture, without memory behind them."""
    with torch.device("meta"):  # a config that says too much must not cost memory
        return distinct_weights(Network(architecture))


def require_memory(path: Path, num_bytes: int) -> None:
    """Check that a file of weights can be loaded. Raises CheckpointError.

    Else the system might end the process, and the next one that tries.
    """
    needed, available = LOADING_FACTOR * num_bytes, available_memory()
    if available is not None and needed > available:
        raise CheckpointError(
            f"{path}: {num_bytes:,} bytes, which take up to {needed / 1e9:.2f} GB of memory to "
            f"load; there are {available / 1e9:.2f} GB"
        )


def read_weights(content: bytes, path: Path, architecture: ModelConfig) -> dict[str, Tensor]:
    """Read stored weights, checked to be those of a network of this architecture.

    Raises CheckpointError, which names `path`.
    """
    try:
        stored = dict(safetensors.deserialize(content))  # type: ignore[no-untyped-call]
    except (safetensors.SafetensorError, ValueError) as error:
        why = shortened(str(error))
        raise CheckpointError(f"{path}: cannot be read, is it truncated? ({why})") from error
    wanted = _shapes(architecture)
    if stored.keys() != wanted.keys():
        differing = _listed(stored.keys() ^ wanted.keys())
        raise CheckpointError(f"{path}: weights do not match config.json: {differing}")
    weights = {}
    for name, weight in wanted.items():
        shape, dtype = tuple(stored[name]["shape"]), stored[name]["dtype"]
        if shape != weight.shape:
            raise CheckpointError(
                f"{path}: {name} has shape {shape}, config.json wants {tuple(weight.shape)}"
            )
        if dtype not in _STORED_DTYPES:
            raise CheckpointError(f"{path}: {name} is {dtype}, not BF16 or F32")
        data: bytearray = stored[name]["data"]
        weights[name] = torch.frombuffer(data, dtype=_STORED_DTYPES[dtype]).reshape(shape)
        if not bool(torch.isfinite(weights[name]).all()):
            raise CheckpointError(f"{path}: {name} holds values that are not finite")
    return weights


def _listed(names: Collection[str]) -> str:
    """First few of some names, which may be many and long."""
    shown = ", ".join(name[:MAX_SHOWN_INPUT] for name in sorted(names)[:MAX_LISTED])
    return shown if len(names) <= MAX_LISTED else f"{shown} and {len(names) - MAX_LISTED} more"
