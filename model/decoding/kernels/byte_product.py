"""Byte product: exact integer product of int8 weights with hidden states, held as bytes.

Where there is AVX2, by its instruction for pairs of bytes (`vpmaddubsw`), which LLVM does not find
by itself: half the work of widening both to 16 bits, so that for one row it is reading the weights
that takes the time. A pair's sum has 16 bits and saturates, which weights of few levels prevent
(`model.quantization`). Elsewhere it is a plain loop.

Shapes: R rows, N outputs, K inputs. Knows nothing of layers.
"""

from collections.abc import Callable
from typing import Any, cast

import numba
import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils as untyped_cgutils
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from model.decoding.kernels.compiling import kernel, part
from model.decoding.kernels.numerics import F32, I32

ZERO = 128  # the byte of a hidden state of 0

Weights = NDArray[np.int8]
Bytes = NDArray[np.uint8]
Dot = Callable[[Weights, int, int, Bytes, int, int, int], I32]

cgutils: Any = untyped_cgutils
_BYTES = ir.VectorType(ir.IntType(8), 32)
_PAIRS = ir.VectorType(ir.IntType(16), 16)
_SUMS = ir.VectorType(ir.IntType(32), 8)


def has_avx2() -> bool:
    """Check whether kernels are compiled for a CPU with AVX2."""
    config: Any = numba.config
    named = config.CPU_FEATURES
    features = binding.get_host_cpu_features().flatten() if named is None else named
    return not config.DISABLE_JIT and "+avx2" in features.split(",")


@part
def plain_dot(
    weight: Weights, n: int, first: int, hidden: Bytes, r: int, start: int, length: int
) -> I32:
    """Sum of `length` products, of weight[n] from `first` on and hidden[r] from `start` on."""
    # As slices, since an index that is a sum may be negative: LLVM would make no vectors of it.
    row, states = weight[n, first : first + length], hidden[r, start : start + length]
    total = I32(0)
    for k in range(length):
        total = I32(total + I32(row[k]) * I32(states[k]))
    return total


@intrinsic
def paired_dot(
    _context: Any, weight: Any, n: Any, first: Any, hidden: Any, r: Any, start: Any, length: Any
) -> Any:
    """Sum as of `plain_dot`, by AVX2; `length` is a multiple of 32, and arrays lie in order."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        weight, n, first, hidden, r, start, length = arguments
        weights = _place(context, builder, signature.args[0], weight, n, first)
        states = _place(context, builder, signature.args[3], hidden, r, start)
        sums = cgutils.alloca_once_value(builder, ir.Constant(_SUMS, [0] * 8))
        step = ir.Constant(length.type, _BYTES.count)
        zero = ir.Constant(length.type, 0)
        with cgutils.for_range_slice(builder, zero, length, step, length.type) as (k, _):
            pairs = _call(
                *(builder, "llvm.x86.avx2.pmadd.ub.sw", _PAIRS),
                *(_bytes_at(builder, states, k), _bytes_at(builder, weights, k)),
            )
            ones = ir.Constant(_PAIRS, [1] * _PAIRS.count)
            fours = _call(builder, "llvm.x86.avx2.pmadd.wd", _SUMS, pairs, ones)
            builder.store(builder.add(builder.load(sums), fours), sums)
        return _call(builder, "llvm.vector.reduce.add.v8i32", ir.IntType(32), builder.load(sums))

    places = (types.intp, types.intp)
    return types.int32(weight, *places, hidden, *places, types.intp), emit


def _place(context: Any, builder: Any, kind: Any, array: Any, row: Any, column: Any) -> Any:
    matrix = context.make_array(kind)(context, builder, array)
    stride = cgutils.unpack_tuple(builder, matrix.strides, 2)[0]
    return builder.gep(matrix.data, [builder.add(builder.mul(row, stride), column)])


def _bytes_at(builder: Any, pointer: Any, place: Any) -> Any:
    address = builder.bitcast(builder.gep(pointer, [place]), _BYTES.as_pointer())
    return builder.load(address, align=1)


def _call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    kind = ir.FunctionType(result, [each.type for each in arguments])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


_dot, _BLOCK = (cast("Dot", paired_dot), 32) if has_avx2() else (plain_dot, 1)


@kernel
def products(
    weight: Weights,
    hidden: Bytes,
    start: int,
    length: int,
    offset: NDArray[np.int32],
    sums: NDArray[np.float32],
) -> None:
    """Products of weight (N, ...), its last `length` columns, and bytes of hidden (R, ...).

    The bytes are those from `start` on. Writes sums (R, N), whole numbers. `offset` (N,) is
    `offset_of` these columns. The weights are read once, whatever the rows.
    """
    first, whole = weight.shape[1] - length, length - length % _BLOCK
    for n in range(len(weight)):
        for r in range(len(hidden)):
            total = I32(_dot(weight, n, first, hidden, r, start, whole) - offset[n])
            for k in range(whole, length):
                total = I32(total + I32(weight[n, first + k]) * I32(hidden[r, start + k]))
            sums[r, n] = F32(total)


def offset_of(weight: Weights) -> NDArray[np.int32]:
    """Offset (N,) of a product with weight (N, K): what it is where every state is 0, in bytes."""
    sums: NDArray[np.int32] = weight.sum(axis=1, dtype=np.int32)
    return ZERO * sums
