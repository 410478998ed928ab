"""Identity of a file: tells whether a file was written again or replaced, without reading it."""

from pathlib import Path
from typing import NamedTuple


class FileIdentity(NamedTuple):
    """Facts of a file of which at least one changes when it is written or replaced."""

    inode: int
    modified_ns: int  # since 1970
    num_bytes: int


def file_identity(path: Path) -> FileIdentity | None:
    """Identity of the file at `path` at this moment; None when it cannot be looked at."""
    try:
        status = path.stat()
    except OSError:
        return None
    return FileIdentity(status.st_ino, status.st_mtime_ns, status.st_size)
