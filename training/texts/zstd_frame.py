"""Zstandard frame: its decompressor, from the standard library (Python 3.14) or from zstandard.

The package has no wheel for Python 3.15, the library has the same from 3.14 on. Knows nothing of
files.
"""

import sys
from typing import Protocol

if sys.version_info >= (3, 14):
    from compression.zstd import ZstdDecompressor, ZstdError
else:
    from zstandard import ZstdDecompressor, ZstdError

__all__ = ["Frame", "ZstdError", "new_frame"]


class Frame(Protocol):
    """Decompressor of one frame; what lies behind its end is `unused_data`."""

    @property
    def eof(self) -> bool:
        """True once the frame has ended."""

    @property
    def unused_data(self) -> bytes:
        """Bytes given that lie behind the end."""

    def decompress(self, data: bytes, /) -> bytes:
        """Decompress as much of `data` as belongs to the frame. Raises ZstdError."""


def new_frame() -> Frame:
    """Make the decompressor of a frame that has not begun."""
    if sys.version_info >= (3, 14):
        return ZstdDecompressor()
    return ZstdDecompressor().decompressobj()
