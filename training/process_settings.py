"""Process-wide settings of training: the allocator keeps freed memory, a cuDNN warning is hidden.

They are made once, by whoever owns the process, never by a constructor. Knows nothing of
networks, and imports no torch, so that it can run before torch is loaded.
"""

import ctypes
import platform
import warnings

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
_LARGEST_INT = 2**31 - 1


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
