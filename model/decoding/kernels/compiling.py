"""Compiling of decode kernels by numba: its decorators, and the folder that keeps what they made.

Kernels are compiled for the CPU at hand at their first call, some seconds once a machine, and kept
in the user's cache (`model.user_cache`). Where that cannot be written, each process compiles for
itself. `python -m model.decoding` compiles them ahead, as `make` and the image do.
Knows nothing of what the kernels compute.
"""

import hashlib
import inspect
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

from model.user_cache import CACHE_VARIABLE, user_cache

PREFIX = "kernels-"
KEPT_FOLDERS = 16  # of other sources, other clones and tests too: half a megabyte each

_Function = TypeVar("_Function", bound=Callable[..., Any])

_log = logging.getLogger(__name__)


@cache
def cache_folder(room: Path) -> Path | None:
    """Folder that keeps the compiled kernels of a folder of modules; None if it cannot be written.

    Made if need be, and named after the sources, ours and those of the room: numba looks whether a
    kernel's own file has changed, not those of the functions that it calls.
    """
    parent = user_cache()
    folder = parent / f"{PREFIX}{_digest_of_sources(room)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            os.utime(folder)
    except OSError as error:
        level = logging.WARNING if os.environ.get(CACHE_VARIABLE) else logging.INFO
        _log.log(level, "kernels are compiled at every start: %s: %s", folder, error.strerror)
        return None
    remove_unused(parent)
    return folder


def remove_unused(parent: Path) -> None:
    """Remove the folders of kernels that were not used for longest, all but KEPT_FOLDERS.

    A process that still uses one has its kernels in memory, and makes the folder anew for others.
    """
    used = []
    for folder in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # another process may be removing it as well
            used.append((folder.stat().st_mtime, folder))
    for _, folder in sorted(used)[:-KEPT_FOLDERS]:
        shutil.rmtree(folder, ignore_errors=True)


def _digest_of_sources(room: Path) -> str:
    digest = hashlib.sha256()
    own = Path(__file__).parent
    sources = {*own.glob("*.py"), own.parent / "sampling.py", *room.glob("*.py")}
    for source in sorted(sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


# 1 / 0 is infinite, and nothing is made for callers in C.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
_PART_OPTIONS = {**_OPTIONS, "no_cpython_wrapper": True}


def kernel(function: _Function) -> _Function:
    """Compile a function that Python calls; it holds no Python lock."""
    folder = cache_folder(Path(inspect.getfile(function)).parent)
    setattr(numba.config, "CACHE_DIR", str(folder or ""))  # noqa: B010 - read by the next line
    return cast("_Function", numba.njit(**_OPTIONS, cache=folder is not None)(function))


def part(function: _Function) -> _Function:
    """Compile a function that kernels call, as a piece of each of them; Python cannot call it."""
    return cast("_Function", numba.njit(**_PART_OPTIONS)(function))
