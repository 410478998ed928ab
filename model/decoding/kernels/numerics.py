"""Exponential, logarithm, logistic sigmoid and tanh with the same bits on every CPU.

Each is a polynomial after a range reduction, in IEEE additions, multiplications and divisions
alone: the libraries' own differ in the last bit from one CPU, vector width and version to the next.
Errors against the exact value are stated, and held by tests.

An exponential here is 2^n e^r with x = n ln 2 + r: adding 1.5 x 2^52 (2^23 in float32) to x / ln 2
rounds it to the integer n, which then lies in the low bits, and n is added to an exponent by
shifting these bits there (as in Cody & Waite 1980).
"""

import numpy as np

from model.decoding.kernels.compiling import part

F32 = np.float32
F64 = np.float64
I32 = np.int32
I64 = np.int64

# ln 2 in two parts, the first with so few digits that n times it is exact.
_LOG2_E = 1.4426950408889634
_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10
_ROUND = 6755399441055744.0
_SMALLEST = -708.0  # below, e^x is no normal number any more: 0

_LOG2_E_F = F32(_LOG2_E)
_LN2_HIGH_F = F32(0.693359375)
_LN2_LOW_F = F32(-2.12194440e-4)
_ROUND_F = F32(12582912.0)
_LARGEST_F = F32(87.0)
_ONE_F, _TWO_F = F32(1.0), F32(2.0)
_T2, _T3, _T4 = F32(1 / 2), F32(1 / 6), F32(1 / 24)  # of Taylor's series
_T5, _T6, _T7 = F32(1 / 120), F32(1 / 720), F32(1 / 5040)


@part
def exp(x: float) -> float:
    """Exponential of a float64 that is at most 0; 0 below -708. Relative error below 4e-16."""
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = 1 / 6227020800.0
    p = p * r + 1 / 479001600.0
    p = p * r + 1 / 39916800.0
    p = p * r + 1 / 3628800.0
    p = p * r + 1 / 362880.0
    p = p * r + 1 / 40320.0
    p = p * r + 1 / 5040.0
    p = p * r + 1 / 720.0
    p = p * r + 1 / 120.0
    p = p * r + 1 / 24.0
    p = p * r + 1 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    power = I64(F64(shifted).view(np.int64) << I64(52))
    scaled = I64(F64(p).view(np.int64) + power).view(np.float64)
    return scaled if x >= _SMALLEST else 0.0


@part
def log(x: float) -> float:
    """Natural logarithm of a positive normal float64. Relative error below 1e-15.

    x = 2^n m with m within sqrt(2) of 1, and ln m = 2 artanh((m - 1) / (m + 1)), by its series.
    """
    bits = F64(x).view(np.int64)
    n = (bits >> I64(52)) - I64(1023)
    m = I64((bits & I64(0x000FFFFFFFFFFFFF)) | I64(0x3FF0000000000000)).view(np.float64)
    if m > 1.4142135623730951:
        m = m * 0.5
        n = n + I64(1)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = 1 / 21.0
    p = p * z + 1 / 19.0
    p = p * z + 1 / 17.0
    p = p * z + 1 / 15.0
    p = p * z + 1 / 13.0
    p = p * z + 1 / 11.0
    p = p * z + 1 / 9.0
    p = p * z + 1 / 7.0
    p = p * z + 1 / 5.0
    p = p * z + 1 / 3.0
    p = p * z * s + s
    return F64(n) * _LN2_HIGH + (F64(n) * _LN2_LOW + 2.0 * p)


@part
def sigmoid(x: F32) -> F32:
    """Logistic sigmoid 1 / (1 + e^-x) in float32. Relative error below 2e-7 from -87 on.

    Below it stays at the value there, 1.6e-38.
    """
    y = -min(max(x, -_LARGEST_F), _LARGEST_F)
    shifted = y * _LOG2_E_F + _ROUND_F
    n = shifted - _ROUND_F
    r = (y - n * _LN2_HIGH_F) - n * _LN2_LOW_F
    p = _T7
    p = p * r + _T6
    p = p * r + _T5
    p = p * r + _T4
    p = p * r + _T3
    p = p * r + _T2
    p = p * r + _ONE_F
    p = p * r + _ONE_F
    power = I32(F32(shifted).view(np.int32) << I32(23))
    return _ONE_F / (_ONE_F + I32(F32(p).view(np.int32) + power).view(np.float32))


@part
def tanh(x: F32) -> F32:
    """Hyperbolic tangent in float32, as 2 s(2x) - 1. Absolute error below 2e-7."""
    return _TWO_F * sigmoid(_TWO_F * x) - _ONE_F


@part
def rounded(x: F32) -> I32:
    """Nearest integer of a float32 within 2^22 of 0; of two equally near, the even one."""
    return F32(x + _ROUND_F).view(np.int32) - I32(0x4B400000)
