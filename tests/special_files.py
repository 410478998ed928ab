"""Special files, which a checkpoint or a run folder may hold in place of regular ones."""

import os
import socket
from collections.abc import Callable
from pathlib import Path


def put_fifo(path: Path) -> None:
    """A FIFO that nobody writes to: to open it for reading waits for ever."""
    os.mkfifo(path)


def put_endless_device(path: Path) -> None:
    """A link to a device that is read without end."""
    path.symlink_to("/dev/zero")


def put_socket(path: Path) -> None:
    """The socket of a program that is gone."""
    with socket.socket(socket.AF_UNIX) as bound:
        # By a short name: a socket's path has at most 108 bytes.
        before = Path.cwd()
        os.chdir(path.parent)
        try:
            bound.bind(path.name)
        finally:
            os.chdir(before)


def put_folder(path: Path) -> None:
    """A folder."""
    path.mkdir()


def put_sparse_file(path: Path) -> None:
    """A file of 200 GB that takes no room on the disk."""
    with path.open("wb") as file:
        file.truncate(200 * 10**9)


PutFile = Callable[[Path], None]

SPECIAL: dict[str, tuple[PutFile, str]] = {
    "fifo": (put_fifo, "a FIFO, not a regular file"),
    "device": (put_endless_device, "a device, not a regular file"),
    "socket": (put_socket, "a socket, not a regular file"),
    "folder": (put_folder, "a directory, not a regular file"),
    "sparse": (put_sparse_file, "has 200,000,000,000 bytes, at most "),
}
