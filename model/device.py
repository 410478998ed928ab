"""Where the arithmetic runs: `auto | cpu | cuda[:n]` becomes a torch device, in one place.

Knows nothing of networks. Probes the machine only when asked, never on import.
"""

import re
from contextlib import AbstractContextManager, nullcontext

import torch

from model.errors import ParameterError, shortened

_NAME = re.compile(r"cpu|cuda(:(?P<index>0|[1-9][0-9]{0,3}))?")  # as torch.device takes it


def resolve_device(name: str) -> torch.device:
    """The device that `name` asks for; `auto` takes CUDA where there is one, else the CPU.

    Raises ParameterError (field `device`) for an unknown name or a GPU that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    match = _NAME.fullmatch(name)
    if match is None:
        raise ParameterError("device", f"must be auto, cpu, cuda or cuda:N, got {shortened(name)}")
    if name != "cpu":
        _require_gpu(int(match["index"] or 0))
    return torch.device(name)


def _require_gpu(index: int) -> None:
    count = torch.cuda.device_count()
    if index >= count:
        raise ParameterError("device", f"cuda:{index} was asked for and {count} GPUs are visible")


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """While it lasts, cuDNN's recurrent layers do not take the shorter TF32 for float32."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)


def has_fast_bf16(device: torch.device) -> bool:
    """Whether bf16 products on `device` are faster than fp32 ones.

    On a CPU that takes AVX512-BF16 or AMX; without them oneDNN emulates bf16 and is slower.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(bool(capabilities.get(name)) for name in ("avx512_bf16", "amx_bf16", "bf16"))
