"""Decode kernels: the numbers of decoding in numba, whose bits are the same on every CPU.

What every kernel keeps to, so that one seed gives one text on every machine: products of integers,
whose sums are exact in any order; elsewhere IEEE additions, multiplications, divisions,
comparisons and conversions in the order that the code says. No library function whose last bit is
the platform's, no fused multiply-add, no reassociation (numba's `fastmath` stays off).
"""
