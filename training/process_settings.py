"""Process-wide settings of training: OpenMP's spinning, the allocator, a warning of cuDNN's.

They are made once, by whoever owns the process, never by a constructor. Knows nothing of
networks, and imports no torch, so that it can run before torch is loaded.
"""

import ctypes
import os
import platform
import resource
import warnings
from collections.abc import MutableMapping

SPIN_COUNT = 1000  # rounds, of 300,000 by default; chosen by benchmarks/bench_contention.py
SPIN_VARIABLE = "GOMP_SPINCOUNT"
WAIT_VARIABLES = (SPIN_VARIABLE, "OMP_WAIT_POLICY")  # whoever sets one of them has chosen

# From glibc's malloc.h and Linux' mman.h.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_NEVER = -1
_MADV_HUGEPAGE = 14
_HEAP_BYTES = 4 * 2**30  # of address space; memory is taken where it is written to
_HUGE_PAGE = 2 * 2**20


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
    """Set glibc's malloc to keep freed memory in the process, on huge pages where Linux has them.

    Does nothing with another libc. A training step allocates hundreds of megabytes and frees them
    again. glibc gives such pieces back to the system and fetches them anew, page by page: a quarter
    of a step on two cores.
    """
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_MAX, 0)
        libc.mallopt(_TRIM_THRESHOLD, _NEVER)
        if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
            _ask_for_huge_pages(libc)


def _ask_for_huge_pages(libc: ctypes.CDLL) -> None:
    """Extend malloc's heap, which keeps what is freed, and ask for huge pages there.

    A step walks through gigabytes, and with pages of 4 KB a core spends a fifth of its time on
    finding them. Linux gives huge ones only where they are asked for (its setting `madvise`).
    torch can ask by itself (`THP_MEM_ALLOC_ENABLE`), but aligns every piece to 2 MB then: the holes
    between them grew without an end, from 2 GB to 5 in five minutes.
    """
    libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    libc.free.argtypes = [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    piece = libc.malloc(_HEAP_BYTES)
    if piece is not None:
        start = -(-piece // _HUGE_PAGE) * _HUGE_PAGE
        libc.madvise(start, piece + _HEAP_BYTES - start, _MADV_HUGEPAGE)
        libc.free(piece)


def ignore_split_weights_warning() -> None:
    """Silence cuDNN's warning that the weights of an RNN are not in one piece of memory.

    It comes once a process, and for dropped weights (weight drop) there is no other way.
    """
    warnings.filterwarnings("ignore", message="RNN module weights are not part of single")
