"""Available memory: how much this process may still take before the system stops it.

The least of what the machine has left, what the control groups of the process allow (a container's
`--memory`), and its own limit of address space (`ulimit -v`). Knows nothing of what it is for.
"""

import resource
from collections.abc import Iterator
from pathlib import Path

from model.control_groups import CGROUPS, PROC, control_groups, lines_of, number_in

_FILES = {  # of the limit and of what is used, by the version of control groups
    1: ("memory.limit_in_bytes", "memory.usage_in_bytes"),
    2: ("memory.max", "memory.current"),
}


def available_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes that this process may still take; None where the system does not tell.

    Memory that only caches files counts as free, and free swap space too.
    """
    machine = _counts(proc / "meminfo", scale=1024)
    if "MemAvailable" not in machine:
        return None
    swap = machine.get("SwapFree", 0)
    rooms = [machine["MemAvailable"] + swap, *_cgroup_rooms(proc, cgroups, swap)]
    if (limit := resource.getrlimit(resource.RLIMIT_AS)[0]) != resource.RLIM_INFINITY:
        rooms.append(limit - _counts(proc / "self/status", scale=1024).get("VmSize", 0))
    return max(0, min(rooms))


def _cgroup_rooms(proc: Path, cgroups: Path, swap: int) -> Iterator[int]:
    """Bytes left in each control group with a limit that this process is in, its parents too."""
    for group in control_groups("memory", proc, cgroups):
        limit, used = (number_in(group.folder / name) for name in _FILES[group.version])
        if limit is not None and used is not None:
            caches = _counts(group.folder / "memory.stat")
            cached = caches.get("active_file", 0) + caches.get("inactive_file", 0)
            yield limit - used + min(cached, used) + swap


def _counts(path: Path, scale: int = 1) -> dict[str, int]:
    """Numbers by name of a file with one of each a line; units of `scale` bytes."""
    parts = (line.replace(":", " ").split() for line in lines_of(path))
    return {each[0]: int(each[1]) * scale for each in parts if len(each) > 1 and each[1].isdigit()}
