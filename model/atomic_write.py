"""Atomic writes: files and folders that are wholly old or wholly new, even if the power fails.

Everything is written under a temporary name beside its place, flushed to disk and renamed.
Knows nothing of what it writes.
"""

import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY_PREFIX = ".tmp-"  # whoever lists folders passes these over

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name `path` in an OSError that the block raises without a name, as writes to a full disk do.

    Opening a file names it, writing does not.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Context of an empty folder to fill; on leaving, it replaces `target`, whole.

    If the block raises, or the disk is full, `target` stays as it was and nothing is left.
    """
    target = target.resolve()  # behind a symbolic link it is the folder that is replaced
    if target.exists() and not target.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{TEMPORARY_PREFIX}{target.name}-", dir=target.parent))
    try:
        folder.chmod(0o755)  # mkdtemp's 0700 would hide a checkpoint from the service's user
        with naming(target):
            yield folder
            for file in folder.iterdir():
                _flush(file)
            _flush(folder)
            _swap_in(folder, target)
            _flush(target.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_file(target: Path, text: str) -> None:
    """Replace one text file, whole; the caller sees to it that no other writes it meanwhile."""
    partial = target.with_name(f"{TEMPORARY_PREFIX}{target.name}")
    with naming(target):
        partial.write_text(text, encoding="utf-8")
        _flush(partial)
        partial.replace(target)


def remove_leftovers(target: Path) -> None:
    """Remove the temporary folders of a killed writer of `target`; no other may be at work now."""
    for folder in target.parent.glob(f"{TEMPORARY_PREFIX}{target.name}-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap_in(folder: Path, target: Path) -> None:
    """Put `folder` at `target`; the old content, if any, ends up under `folder`'s name."""
    if not target.exists():
        folder.rename(target)
    elif not _exchange(folder, target):
        # No atomic exchange on this system: for a moment nothing is at `target`.
        aside = folder.with_name(folder.name + "-old")
        target.rename(aside)
        try:
            folder.rename(target)
        except OSError:
            aside.rename(target)
            raise
        aside.rename(folder)


def _exchange(first: Path, second: Path) -> bool:
    """Swap two names in one step, where Linux's renameat2 is there; False where it is not."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    names = (_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second))
    return bool(renameat2(*names, _RENAME_EXCHANGE) == 0)
