"""Byte product: exact sums of bytes and weights, by AVX2 and by the plain loop alike."""

from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from model.decoding.kernels.byte_product import (
    Bytes,
    Dot,
    Weights,
    has_avx2,
    offset_of,
    paired_dot,
    plain_dot,
    products,
)
from model.decoding.kernels.compiling import kernel
from model.quantization import LEVELS

Sums = NDArray[np.int64]


@kernel
def plain_dots(weight: Weights, start: int, hidden: Bytes, sums: Sums) -> None:
    for n in range(len(weight)):
        sums[n] = plain_dot(weight, n, start, hidden, 1, start, hidden.shape[1] - start)


def extremes(outputs: int, inputs: int) -> tuple[Weights, Bytes]:
    """Weights and bytes of which most are at their ends, where sums of 16 bits saturate first."""
    rng = np.random.default_rng(inputs)
    weight = rng.choice([-LEVELS, LEVELS, LEVELS, LEVELS, 3], (outputs, inputs))
    hidden = rng.choice([0, 255, 255, 128, 7], (3, inputs))
    return weight.astype(np.int8), hidden.astype(np.uint8)


@pytest.mark.parametrize("inputs", [1, 16, 31, 32, 33, 64, 103, 512, 2048])
@pytest.mark.parametrize("rows", [1, 3])
def test_byte_products_are_exact_at_every_width(rows: int, inputs: int) -> None:
    weight, hidden = extremes(13, inputs)
    sums = np.empty((rows, 13), np.float32)
    products(weight, hidden[:rows], 0, inputs, offset_of(weight), sums)
    states = hidden[:rows].astype(np.int64) - 128
    assert (sums == states @ weight.T.astype(np.int64)).all()


def test_byte_products_take_the_last_columns_of_the_weights() -> None:
    weight, hidden = extremes(5, 96)
    last = np.ascontiguousarray(weight[:, 50:])
    sums = np.empty((3, 5), np.float32)
    products(weight, hidden, 7, 46, offset_of(last), sums)
    states = hidden[:, 7:53].astype(np.int64) - 128
    assert (sums == states @ last.T.astype(np.int64)).all()


def test_the_plain_loop_and_avx2_give_the_same_sums() -> None:
    weight, hidden = extremes(9, 96)
    plain, paired = np.empty(9, np.int64), np.empty(9, np.int64)
    plain_dots(weight, 32, hidden, plain)
    assert (plain == weight[:, 32:].astype(np.int64) @ hidden[1, 32:].astype(np.int64)).all()
    if not has_avx2():
        pytest.skip("kernels are compiled for a CPU without AVX2")

    dot = cast("Dot", paired_dot)

    @kernel
    def paired_dots(weight: Weights, start: int, hidden: Bytes, sums: Sums) -> None:
        for n in range(len(weight)):
            sums[n] = dot(weight, n, start, hidden, 1, start, 64)

    paired_dots(weight, 32, hidden, paired)
    assert (plain == paired).all()
