"""Kernels of composing: particles, letters, draws and tries, compiled by numba.

A kernel calls no part of another file here, so that what is kept of it is stale with its own file.
"""
