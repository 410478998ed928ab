"""Regular files only: opened without blocking, checked on the same descriptor, read up to a bound.

A FIFO would be waited for without end, a device read without end, and a sparse file is as long as
it says. Every error is an OSError with the file's name and a reason in words. Knows nothing of
what the files hold.
"""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a directory",
    stat.S_IFSOCK: "a socket",
}


def open_regular(path: str | Path, flags: int, *, directory: int | None = None) -> int:
    """Open a regular file, or a link to one, as the `opener` of `open`; returns its descriptor.

    `directory` is the descriptor of an open folder that `path` is relative to. Raises OSError,
    also for whatever else lies there, and waits for nobody.
    """
    try:
        # O_NOCTTY: a terminal that lies there would become this process's own.
        descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY, 0o666, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket, or a FIFO to write to that nobody reads
            raise _irregular(os.stat(path, dir_fd=directory), path) from None
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise _irregular(status, path)
    return descriptor


def _irregular(status: os.stat_result, path: str | Path) -> OSError:
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
    return OSError(errno.EINVAL, f"{kind}, not a regular file", str(path))


@dataclass(frozen=True, slots=True)
class FileContent:
    """Content of a file, and when it was written, in seconds since 1970."""

    content: bytes
    written_at: float


def read_regular(path: str | Path, max_bytes: int, *, directory: int | None = None) -> FileContent:
    """Read a regular file of at most `max_bytes` bytes. Raises OSError as `open_regular` does."""
    descriptor = open_regular(path, os.O_RDONLY, directory=directory)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        num_bytes = status.st_size
        if num_bytes > max_bytes:
            problem = f"has {num_bytes:,} bytes, at most {max_bytes:,} are read"
            raise OSError(errno.EFBIG, problem, str(path))
        try:
            content = file.read(num_bytes + 1)
        except MemoryError:
            problem = f"has {num_bytes:,} bytes, more than there is memory for"
            raise OSError(errno.ENOMEM, problem, str(path)) from None
    if len(content) > num_bytes:
        raise OSError(errno.EBUSY, "grew while it was read", str(path))
    return FileContent(content, status.st_mtime)
