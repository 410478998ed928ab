"""OpenMP settings: a limit on how long waiting threads spin, set before torch is loaded.

A thread of libgomp, which comes with torch's wheels for Linux, spins for some milliseconds when
it has to wait for the others, and sleeps only then. Where every thread has a core of its own that
saves the waking. Beside another busy process one of them has none: the others then spin away the
time in which it could go on, step after step, and training comes nearly to a stop.

Knows nothing of torch, with which libgomp is loaded and reads the variable, once.
"""

import os
from collections.abc import MutableMapping

SPIN_COUNT = 3000  # rounds, of 300,000 by default; 1000 costs a third alone: bench_contention.py
VARIABLE = "GOMP_SPINCOUNT"
SAME_MATTER = (VARIABLE, "OMP_WAIT_POLICY")  # whoever sets one of them has chosen


def limit_spinning(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads that wait go to sleep soon, unless `environment` says how they shall wait."""
    if not any(name in environment for name in SAME_MATTER):
        environment[VARIABLE] = str(SPIN_COUNT)
