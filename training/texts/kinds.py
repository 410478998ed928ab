"""Kinds of files: told by the first bytes where these are sure, else by the name.

Knows nothing of how a kind is read.
"""

from pathlib import PurePosixPath

# What is read, by the end of the name. Another end is read as text, if it is text.
KINDS = {
    ".txt": "text",
}
"""What is read, by the end of the name; what has another end, or none, is read as text."""

_COMPRESSED = (".gz", ".xz", ".bz2", ".zst")


def inner_name(name: str) -> str:
    """Name of what a compressed file holds: without .gz, .xz, .bz2 or .zst."""
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in _COMPRESSED else name


def kind_of(name: str) -> str:
    """Kind that a name stands for."""
    return KINDS.get(PurePosixPath(inner_name(name)).suffix.lower(), "text")
