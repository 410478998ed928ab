"""Weights of a checkpoint as a safetensors file: written, held against an architecture, and read.

Knows nothing of the checkpoint's other files.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

import safetensors.torch
import torch
from torch import Tensor

from model.available_memory import available_memory
from model.config import ModelConfig
from model.errors import MAX_SHOWN_INPUT, CheckpointError, ParameterError, shortened
from model.network import Network
from model.quantization import integers, rounded_matrices, scales_of_matrices

MAX_HEADER = 1 << 20  # bytes: names, types, shapes and places of the weights
MAX_LISTED = 8  # names in a message
# Memory that loading takes at its peak, in sizes of the file, without and with quantized weights.
LOADING_FACTOR, QUANTIZED_LOADING_FACTOR = 4, 9
SCALES = ".scales"  # of the rows, behind the name of a quantized matrix

Precision = Literal["int8", "bf16", "fp32"]
# As safetensors calls them.
_FLOATS = {"BF16": torch.bfloat16, "F32": torch.float32}
_INTEGERS = {"I8": torch.int8}


def distinct_weights(network: Network) -> dict[str, Tensor]:
    """Weights of a network by name, each once: a tied output is stored as the embedding alone."""
    return dict(network.named_parameters(remove_duplicate=True))


def serialized_weights(network: Network, precision: Precision) -> bytes:
    """Serialize the weights of a network, rounded to `precision`.

    As int8 they decode on a CPU to the very texts that they decode to as bf16: matrices lie in the
    file as the int8 backend rounds them, all else as bf16. Raises ParameterError for a network that
    this backend does not take.
    """
    if precision == "int8" and not network.config.is_plain:
        raise ParameterError(
            "precision",
            "int8 is for plain stacks of layers, since others are decoded with more; "
            "must be bf16 or fp32",
        )
    dtype = torch.float32 if precision == "fp32" else torch.bfloat16
    rounded = {
        name: weight.detach().to("cpu", dtype).contiguous()
        for name, weight in distinct_weights(network).items()
    }
    return safetensors.torch.save(
        rounded if precision != "int8" else quantized_weights(network.config, rounded)
    )


def quantized_weights(architecture: ModelConfig, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a plain stack with its matrices as int8 integers, and the scales beside them."""
    stored = dict(weights)
    for name, scales in scales_of_matrices(architecture, weights).items():
        stored[name] = integers(weights[name].float(), scales)
        stored[name + SCALES] = scales
    return stored


def max_weights(architecture: ModelConfig) -> int:
    """Size in bytes that the weights of a network of this architecture cannot exceed on disk."""
    return MAX_HEADER + 4 * sum(weight.numel() for weight in _shapes(architecture).values())


def _shapes(architecture: ModelConfig) -> dict[str, Tensor]:
    """Weights of a network of this architecture, without memory behind them."""
    with torch.device("meta"):  # a config that says too much must not cost memory
        return distinct_weights(Network(architecture))


def require_memory(path: Path, num_bytes: int, *, is_quantized: bool) -> None:
    """Check that a file of weights can be loaded. Raises CheckpointError.

    Else the system might end the process, and the next one that tries.
    """
    factor = QUANTIZED_LOADING_FACTOR if is_quantized else LOADING_FACTOR
    needed, available = factor * num_bytes, available_memory()
    if available is not None and needed > available:
        raise CheckpointError(
            f"{path}: {num_bytes:,} bytes, which take up to {needed / 1e9:.2f} GB of memory to "
            f"load; there are {available / 1e9:.2f} GB"
        )


def read_weights(
    content: bytes, path: Path, architecture: ModelConfig, *, is_quantized: bool
) -> dict[str, Tensor]:
    """Read stored weights, checked to be those of a network of this architecture.

    Raises CheckpointError, which names `path`.
    """
    try:
        stored = dict(safetensors.deserialize(content))  # type: ignore[no-untyped-call]
    except (safetensors.SafetensorError, ValueError) as error:
        why = shortened(str(error))
        raise CheckpointError(f"{path}: cannot be read, is it truncated? ({why})") from error
    wanted = {name: tuple(weight.shape) for name, weight in _shapes(architecture).items()}
    # By name alone: arithmetic on tensors without memory imports torch's compiler, a second's work.
    quantized = rounded_matrices(architecture) if is_quantized else []
    names = wanted.keys() | {name + SCALES for name in quantized}
    if stored.keys() != names:
        differing = _listed(stored.keys() ^ names)
        raise CheckpointError(f"{path}: weights do not match config.json: {differing}")
    weights = {}
    for name, shape in wanted.items():
        dtypes = _INTEGERS if name in quantized else _FLOATS
        weights[name] = _read(stored[name], name, shape, dtypes, path)
        if name in quantized:
            rows = _read(stored[name + SCALES], name + SCALES, shape[:1], _FLOATS, path)
            weights[name] = _finite(weights[name] * rows.unsqueeze(1), name, path)
    return weights


def _read(
    stored: dict[str, Any],
    name: str,
    wanted: tuple[int, ...],
    dtypes: dict[str, torch.dtype],
    path: Path,
) -> Tensor:
    """Read one stored tensor, checked to have a shape, one of some types, and finite numbers."""
    shape, dtype = tuple(stored["shape"]), stored["dtype"]
    if shape != wanted:
        raise CheckpointError(f"{path}: {name} has shape {shape}, config.json wants {wanted}")
    if dtype not in dtypes:
        raise CheckpointError(f"{path}: {name} is {dtype}, not {' or '.join(dtypes)}")
    data: bytearray = stored["data"]
    return _finite(torch.frombuffer(data, dtype=dtypes[dtype]).reshape(shape), name, path)


def _finite(weight: Tensor, name: str, path: Path) -> Tensor:
    if not bool(torch.isfinite(weight).all()):
        raise CheckpointError(f"{path}: {name} holds values that are not finite")
    return weight


def _listed(names: Collection[str]) -> str:
    """First few of some names, which may be many and long."""
    shown = ", ".join(name[:MAX_SHOWN_INPUT] for name in sorted(names)[:MAX_LISTED])
    return shown if len(names) <= MAX_LISTED else f"{shown} and {len(names) - MAX_LISTED} more"
