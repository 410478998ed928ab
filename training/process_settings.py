"""Process-wide settings of training: OpenMP's spinning, the allocator, a warning of cuDNN's.

They are made once, by whoever owns the process, never by a constructor. Knows nothing of
networks, and imports no torch, so that it can run before torch is loaded.
"""

import ctypes
import os
import platform
import warnings
from collections.abc import MutableMapping

SPIN_COUNT = 1000  # rounds, of 300,000 by default; chosen by benchmarks/bench_contention.py
SPIN_VARIABLE = "GOMP_SPINCOUNT"
WAIT_VARIABLES = (SPIN_VARIABLE, "OMP_WAIT_POLICY")  # whoever sets one of them has chosen

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_LARGEST_INT = 2**31 - 1


def limit_spinning(environment: MutableMapping[str, str] = os.environ) -> None:
    """Limit how long OpenMP's waiting threads spin, unless `environment` says how they shall wait.

    A thread of libgomp, which comes with torch's wheels for Linux, spins for some milliseconds when
    it has to wait for the others, and sleeps only then. Where every thread has a core of its own
    that saves the waking. Beside another busy process one of them has none: the others then spin
    away the time in which it could go on, step after step, and training comes nearly to a stop.
    libgomp reads the variable once, when torch loads it.
    """
    if not any(name in environment for name in WAIT_VARIABLES):
        environment[SPIN_VARIABLE] = str(SPIN_COUNT)


def keep_freed_memory() -> None:
    """Set glibc's malloc to keep freed memory in the process; does nothing with another libc.

    A training step allocates hundreds of megabytes and frees them again. glibc gives such pieces
    back to the system and fetches them anew, page by page: a quarter of a step on two cores.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, _LARGEST_INT)


def ignore_split_weights_warning() -> None:
    """Silence cuDNN's warning that the weights of an RNN are not in one piece of memory.

    It comes once a process, and for dropped weights (weight drop) there is no other way.
    """
    warnings.filterwarnings("ignore", message="RNN module weights are not part of single")
