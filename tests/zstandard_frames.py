"""Zstandard compression for tests, by the standard library where that has it."""

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import compress
else:
    from zstandard import compress

__all__ = ["compress"]
