"""Kernels of composing: particles, letters, draws and tries, compiled by numba.

`logit_sums` has the parts that they share; what is kept of them is named after all sources here.
"""
