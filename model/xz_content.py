"""Content of an xz stream that may be damaged or hostile: unpacked up to a bound, or refused.

Knows nothing of what it holds.
"""

import lzma

from model.errors import CheckpointError

_MEMORY = 1 << 28  # bytes that unpacking may take beside the content


def unpacked(packed: bytes, max_bytes: int) -> bytes:
    """Unpack one xz stream of at most `max_bytes` of content. Raises CheckpointError."""
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    try:
        content = unpacker.decompress(packed, max_length=max_bytes)
    except lzma.LZMAError as error:
        raise CheckpointError(f"it cannot be unpacked ({error})") from error
    if not unpacker.eof:
        raise CheckpointError("it is cut short, or far too long when unpacked")
    if unpacker.unused_data:
        raise CheckpointError("something stands behind its end")
    return content
