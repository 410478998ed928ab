"""Device: `auto | cpu | cuda[:n]` becomes a torch device; what a device's arithmetic can do.

Knows nothing of networks. Probes the machine only when asked, never on import.
"""

import os
import re
from contextlib import AbstractContextManager, nullcontext
from functools import cache

import torch

from model.errors import ParameterError, shortened
from model.usable_cores import usable_cores

_NAME = re.compile(r"cpu|cuda(:(?P<index>0|[1-9][0-9]{0,3}))?")  # as torch.device takes it

# oneDNN's names of x86 instruction sets without bf16 products that an LSTM could use.
_ISA_WITHOUT_BF16 = {"sse41", "avx", "avx2", "avx2_vnni", "avx2_vnni_2"}
_ISA_WITHOUT_BF16 |= {"avx512_core", "avx512_core_vnni"}


def resolve_device(name: str) -> torch.device:
    """Resolve a device name; `auto` takes CUDA where there is one, else the CPU.

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


def use_threads(count: int | None) -> None:
    """Set how many threads torch computes with; None takes its own count, within usable cores.

    torch's own is of the machine's cores (or OMP_NUM_THREADS), whatever a container may use.
    """
    torch.set_num_threads(min(torch.get_num_threads(), usable_cores()) if count is None else count)


def _require_gpu(index: int) -> None:
    count = torch.cuda.device_count()
    if index >= count:
        raise ParameterError("device", f"cuda:{index} was asked for and {count} GPUs are visible")


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Context in which cuDNN's recurrent layers do not take the shorter TF32 for float32."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)


def has_fast_bf16(device: torch.device) -> bool:
    """True where bf16 products on `device` are faster than fp32 ones.

    On a CPU that takes AVX512-BF16 or AMX, and that oneDNN may use them; without them it emulates
    bf16, at a third of the speed of fp32 with AVX512, and far more slowly with AVX2.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    has_products = any(bool(capabilities.get(name)) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return has_products and _max_cpu_isa() not in _ISA_WITHOUT_BF16


def _max_cpu_isa() -> str:
    """Instruction set that the environment confines oneDNN to, in small letters, or ""."""
    names = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")  # as oneDNN reads them: the first one wins
    return next((os.environ[name] for name in names if name in os.environ), "").lower()


@cache
def has_bf16_lstm(device: torch.device) -> bool:
    """Probe of torch's fused LSTM: True where it runs in bf16 on `device`, forward and backward.

    Tried with a layer of eight units, once a process: without AVX512 oneDNN has no such kernel,
    and torch says so only when it is called. Draws no random number.
    """
    x = torch.zeros(1, 1, 8, device=device)  # (T, B, width), and the state's (L, B, H)
    shapes = ((32, 8), (32, 8), (32,), (32,))
    weights = [torch.zeros(shape, device=device, requires_grad=True) for shape in shapes]
    try:
        with torch.enable_grad(), torch.autocast(device.type, torch.bfloat16):
            # With biases, one layer, no dropout, in training, in one direction, time first.
            seen, _, _ = torch.lstm(x, (x, x), weights, True, 1, 0.0, True, False, False)
        seen.sum().backward()  # type: ignore[no-untyped-call]
    except RuntimeError:
        return False
    return True
