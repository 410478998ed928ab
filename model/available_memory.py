"""Available memory: how much this process may still take before the system stops it.

The least of what the machine has left, what the control groups of the process allow (a container's
`--memory`), and its own limit of address space (`ulimit -v`). Knows nothing of what it is for.
"""

import resource
from collections.abc import Iterator
from pathlib import Path

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_V1_FILES = ("memory.limit_in_bytes", "memory.usage_in_bytes")
_V2_FILES = ("memory.max", "memory.current")


def available_memory(proc: Path = _PROC, cgroups: Path = _CGROUPS) -> int | None:
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
    for line in _lines(proc / "self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, files = cgroups, _V2_FILES
        elif "memory" in controllers.split(","):
            root, files = cgroups / "memory", _V1_FILES
        else:
            continue
        group = root / path.strip("/")
        # In a container the path is that on the host, and its own group is the root.
        for folder in (group, *group.parents[: len(group.parts) - len(root.parts)]):
            limit, used = (_number(folder / name) for name in files)
            if limit is not None and used is not None:
                caches = _counts(folder / "memory.stat")
                cached = caches.get("active_file", 0) + caches.get("inactive_file", 0)
                yield limit - used + min(cached, used) + swap


def _counts(path: Path, scale: int = 1) -> dict[str, int]:
    """Numbers by name of a file with one of each a line; units of `scale` bytes."""
    parts = (line.replace(":", " ").split() for line in _lines(path))
    return {each[0]: int(each[1]) * scale for each in parts if len(each) > 1 and each[1].isdigit()}


def _number(path: Path) -> int | None:
    """Number in a file; None where there is no file or no limit."""
    lines = _lines(path)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
