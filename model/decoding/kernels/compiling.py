"""Compiling of decode kernels by numba: its decorators, and the folder that keeps what they made.

Kernels are compiled for the CPU at hand at their first call, some seconds once a machine, and kept
in `STROPHE_CACHE`, else in the user's cache folder. Where neither can be written, each process
compiles for itself. Knows nothing of what the kernels compute.
"""

import hashlib
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

CACHE_VARIABLE = "STROPHE_CACHE"

_Function = TypeVar("_Function", bound=Callable[..., Any])

_log = logging.getLogger(__name__)


def cache_folder() -> Path | None:
    """Folder that keeps compiled kernels, made if need be; None where it cannot be written.

    Named after the sources: numba looks whether a kernel's own file has changed, not those of the
    functions that it calls.
    """
    named = os.environ.get(CACHE_VARIABLE)
    user = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(named) if named else Path(user).expanduser() / "strophe"
    folder = folder / f"kernels-{_digest_of_sources()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        level = logging.WARNING if named else logging.INFO
        _log.log(level, "kernels are compiled at every start: %s: %s", folder, error.strerror)
        return None


def _digest_of_sources() -> str:
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for source in [*sorted(here.glob("*.py")), here.parent / "sampling.py"]:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


_FOLDER = cache_folder()
if _FOLDER is not None:
    setattr(numba.config, "CACHE_DIR", str(_FOLDER))  # noqa: B010


# 1 / 0 is infinite, and nothing is made for callers in C.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
_PART_OPTIONS = {**_OPTIONS, "no_cpython_wrapper": True}


def kernel(function: _Function) -> _Function:
    """Compile a function that Python calls; it holds no Python lock."""
    return cast("_Function", numba.njit(**_OPTIONS, cache=_FOLDER is not None)(function))


def part(function: _Function) -> _Function:
    """Compile a function that kernels call, as a piece of each of them; Python cannot call it."""
    return cast("_Function", numba.njit(**_PART_OPTIONS)(function))
