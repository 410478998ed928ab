"""Integer products of rows, by torch's libraries and by our kernel: those exact here, the fastest.

Sums of products of 8-bit integers are exact in any order, so which library made them shows in no
bit. Each is tried on this machine with numbers that saturate first, and those that pass are timed:
our kernel is the fastest for few rows, oneDNN for many with VNNI or AMX, FBGEMM without, and a
product of float32 that holds integers is exact everywhere as long as no sum reaches 2^24.

The only module that touches torch's private operators (`torch.ops.onednn`, `torch.ops.quantized`),
and the place to look when a new torch moves them: one that fails is left out.
Shapes: R rows, K inputs, N outputs. Knows nothing of networks.
"""

import math
import time
import warnings
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from model.decoding.kernels.byte_product import ZERO, offset_of, products
from model.quantization import LEVELS

EXACT_BELOW = 1 << 24  # integers that float32 holds
# The fastest for 4 rows is taken for fewer than 16, that for 16 for fewer than 64.
ROWS_TIMED = (4, 16, 64)
TRIALS = 5

# Bytes of hidden states (R, K) uint8 -> exact sums (R, N) in float32.
Product = Callable[[Tensor], Tensor]


def onednn_product(weight: Tensor) -> Product:
    """Product with `weight` (N, K) int8 by oneDNN."""
    packed = torch.ops.onednn.qlinear_prepack(weight, None)
    scale, zero = torch.ones(len(weight)), torch.zeros(len(weight), dtype=torch.int32)
    multiply = torch.ops.onednn.qlinear_pointwise.default

    def product(hidden: Tensor) -> Tensor:
        sums: Tensor = multiply(
            *(hidden, 1.0, ZERO, packed, scale, zero, None),
            *(1.0, 0, torch.float32, "none", [], ""),  # not quantized again, nothing behind it
        )
        return sums

    return product


def fbgemm_product(weight: Tensor) -> Product:
    """Product with `weight` (N, K) int8 by FBGEMM."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # quantized tensors are deprecated, their product is not
        whole = torch._make_per_tensor_quantized_tensor(weight, 1.0, 0)  # noqa: SLF001
        packed = torch.ops.quantized.linear_prepack(whole, None)
    multiply = torch.ops.quantized.linear_with_input_q_dq_qweight_dq_output_fp32.default

    def product(hidden: Tensor) -> Tensor:
        sums: Tensor = multiply(hidden.float().sub_(ZERO), 1.0, ZERO, packed)
        return sums

    return product


def float_product(weight: Tensor) -> Product:
    """Product with `weight` (N, K) int8 in float32, exact while sums stay below `EXACT_BELOW`."""
    transposed = weight.float().t().contiguous()
    return lambda hidden: hidden.float().sub_(ZERO) @ transposed


def kernel_product(weight: Tensor) -> Product:
    """Product with `weight` (N, K) int8 by our kernel."""
    matrix = weight.contiguous().numpy()
    offset = offset_of(matrix)

    def product(hidden: Tensor) -> Tensor:
        sums = torch.empty(len(hidden), len(matrix))
        states = hidden.contiguous().numpy()
        products(matrix, states, 0, matrix.shape[1], offset, sums.numpy())
        return sums

    return product


KINDS: dict[str, Callable[[Tensor], Product]] = {
    "onednn": onednn_product,
    "fbgemm": fbgemm_product,
    "float32": float_product,
    "kernel": kernel_product,
}


class IntegerProduct:
    """Exact product with one weight (N, K) int8, by what is fastest here for so many rows."""

    def __init__(self, weight: Tensor) -> None:
        winners = fastest_kinds(*weight.shape)
        made = {kind: KINDS[kind](weight) for kind in set(winners)}
        self._products = [made[kind] for kind in winners]

    def __call__(self, hidden: Tensor) -> Tensor:
        """Sums (R, N) float32 of the weight and the bytes of hidden states (R, K)."""
        for rows, product in zip(ROWS_TIMED[1:], self._products, strict=False):
            if len(hidden) < rows:
                return product(hidden)
        return self._products[-1](hidden)


@cache
def exact_kinds() -> tuple[str, ...]:
    """Kinds of product that are exact on this machine."""
    return tuple(kind for kind in KINDS if _is_exact(KINDS[kind]))


@cache
def fastest_kinds(outputs: int, inputs: int) -> tuple[str, ...]:
    """Fastest exact kind of product of this shape for each of ROWS_TIMED, by trial."""
    weight = torch.ones(outputs, inputs, dtype=torch.int8)
    made = {kind: KINDS[kind](weight) for kind in exact_kinds()}
    hidden = [torch.full((rows, inputs), ZERO, dtype=torch.uint8) for rows in ROWS_TIMED]
    return tuple(_fastest(made, each) for each in hidden)


def _fastest(products: dict[str, Product], hidden: Tensor) -> str:
    """Fastest of some products, tried in turn: in a step, too, each follows other code.

    With AMX that makes a difference: its units sleep as soon as they are not used.
    """
    times = dict.fromkeys(products, math.inf)
    for _ in range(1 + TRIALS):
        for kind, product in products.items():
            start = time.perf_counter()
            product(hidden)
            times[kind] = min(times[kind], time.perf_counter() - start)
    return min(times, key=times.__getitem__)


def _is_exact(kind: Callable[[Tensor], Product]) -> bool:
    """Check a kind of product with the bytes and weights that saturate first."""
    pattern = torch.arange(33 * 64).view(33, 64)  # enough rows for AMX
    hidden = torch.where(pattern % 3 == 0, 0, 255 - pattern % 7).to(torch.uint8)
    weight = torch.where(torch.arange(16 * 64).view(16, 64) % 5 == 0, -LEVELS, LEVELS)
    expected = (hidden.long() - ZERO) @ weight.t()
    try:
        product = kind(weight.to(torch.int8))
        return torch.equal(product(hidden).long(), expected) and torch.equal(
            product(hidden[:1]).long(), expected[:1]
        )
    except (RuntimeError, AttributeError):  # not built in, or not for this machine
        return False
