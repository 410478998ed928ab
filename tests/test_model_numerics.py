"""Numerics of the decode kernels: exp, log, sigmoid and tanh within their stated errors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.decoding.kernels.compiling import kernel
from model.decoding.kernels.numerics import exp, log, rounded, sigmoid, tanh

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]


@kernel
def exps(x: Doubles, y: Doubles) -> None:
    for i in range(len(x)):
        y[i] = exp(x[i])


@kernel
def logs(x: Doubles, y: Doubles) -> None:
    for i in range(len(x)):
        y[i] = log(x[i])


@kernel
def sigmoids(x: Singles, y: Singles) -> None:
    for i in range(len(x)):
        y[i] = sigmoid(x[i])


@kernel
def tanhs(x: Singles, y: Singles) -> None:
    for i in range(len(x)):
        y[i] = tanh(x[i])


@kernel
def nearest(x: Singles, y: NDArray[np.int32]) -> None:
    for i in range(len(x)):
        y[i] = rounded(x[i])


def of(function: Callable[..., None], x: NDArray[Any]) -> NDArray[Any]:
    y = np.empty_like(x)
    function(x, y)
    return y


def every_float32(low: float, high: float, step: int) -> Singles:
    """Float32 numbers between two positive ones, each `step`-th of all that there are."""
    first, last = (int(np.float32(each).view(np.int32)) for each in (low, high))
    return np.arange(first, last, step, dtype=np.int32).view(np.float32)


def relative(value: NDArray[Any], exact: Doubles) -> float:
    return float(np.abs(value / exact - 1).max())


def test_exp_is_within_its_stated_error_of_the_exact_one() -> None:
    x = -np.geomspace(1e-20, 708, 1_000_000)
    assert relative(of(exps, x), np.exp(x)) < 4e-16
    assert of(exps, np.array([0.0, -0.0])).tolist() == [1.0, 1.0]


def test_exp_of_what_is_far_below_zero_is_zero() -> None:
    assert not of(exps, np.array([-708.1, -745.0, -1e9, -1e300, -np.inf])).any()


def test_log_is_within_its_stated_error_of_the_exact_one() -> None:
    for x in (np.geomspace(1e-300, 1e300, 1_000_000), np.linspace(0.4, 2.5, 1_000_001)):
        exact = np.log(x)
        some = np.abs(exact) > 1e-3
        assert relative(of(logs, x)[some], exact[some]) < 1e-15
        assert np.abs(of(logs, x) - exact)[~some].max(initial=0) < 1e-18 + 1e-15 * 1e-3
    assert of(logs, np.array([1.0])).tolist() == [0.0]


def test_sigmoid_and_tanh_are_within_their_stated_errors_of_the_exact_ones() -> None:
    half = every_float32(1e-6, 87, 101)
    x = np.concatenate([-half, half]).astype(np.float32)
    assert len(x) > 4_000_000
    exact = 1 / (1 + np.exp(-x.astype(np.float64)))
    assert relative(of(sigmoids, x), exact) < 2e-7
    assert np.abs(of(tanhs, x) - np.tanh(x.astype(np.float64))).max() < 2e-7


@pytest.mark.parametrize("x", [88.0, 1e10, 3e38])
def test_sigmoid_of_what_is_far_from_zero_stays_where_it_is(x: float) -> None:
    low, high = of(sigmoids, np.array([-x, x], np.float32))
    assert 0 < low < 2e-38
    assert high == 1


def test_rounding_takes_the_nearest_integer_and_of_two_the_even_one() -> None:
    x = np.concatenate([np.arange(-127, 127.25, 0.25), [0.49999997, -0.49999997]]).astype(
        np.float32
    )
    y = np.empty(len(x), np.int32)
    nearest(x, y)
    assert (y == np.rint(x)).all()


def test_the_compiled_functions_give_the_bits_of_plain_python() -> None:
    """Python's own arithmetic is IEEE's, so no compiler has put two operations in one."""
    rng = np.random.default_rng(0)
    with np.errstate(over="ignore"):
        x = -rng.exponential(50, 300)
        assert of(exps, x).tolist() == [float(exp.py_func(each)) for each in x]  # type: ignore[attr-defined]
        x = rng.lognormal(0, 30, 300)
        assert of(logs, x).tolist() == [float(log.py_func(each)) for each in x]  # type: ignore[attr-defined]
        y = rng.normal(0, 20, 300).astype(np.float32)
        assert of(sigmoids, y).tolist() == [float(sigmoid.py_func(each)) for each in y]  # type: ignore[attr-defined]
