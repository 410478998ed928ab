"""Memory that this process may still take: of the machine, of its cgroup and ulimit, or of a GPU.

A container's limit is a cgroup's, and whoever exceeds it is killed without a word; beyond what the
machine has, it comes to a standstill. Knows nothing of networks.
"""

import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

PAGE_BYTES = resource.getpagesize()


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """Bytes that may still be taken, and whose limit that is, in words."""

    num_bytes: int
    whose: str


def free_memory(root: Path = Path("/")) -> MemoryLimit:
    """Find how much more memory this process may take, by the narrowest of the limits on it.

    Looks below `root` for `/proc` and `/sys`; a limit that cannot be read is none.
    """
    limits = [*_of_machine(root), *_of_cgroups(root), *_of_process(root)]
    return min(limits, key=lambda limit: limit.num_bytes, default=MemoryLimit(2**63, "no limit"))


def free_device_memory(device: torch.device) -> MemoryLimit:
    """Find how much memory is free on a GPU."""
    return MemoryLimit(torch.cuda.mem_get_info(device)[0], f"free on {device}")


def _of_machine(root: Path) -> Iterator[MemoryLimit]:
    for line in _lines(root / "proc/meminfo"):
        if line.startswith("MemAvailable:"):
            yield MemoryLimit(int(line.split()[1]) * 1024, "free on this machine")


def _of_process(root: Path) -> Iterator[MemoryLimit]:
    pages = "".join(_lines(root / "proc/self/statm")).split()
    for limit, column in ((resource.RLIMIT_AS, 0), (resource.RLIMIT_DATA, 5)):
        most, _ = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY and pages:
            free = max(0, most - int(pages[column]) * PAGE_BYTES)
            yield MemoryLimit(free, "left of ulimit")


def _of_cgroups(root: Path) -> Iterator[MemoryLimit]:
    """Find what is left of the limits of all cgroups, v1 and v2, that this process is in."""
    mounted = root / "sys/fs/cgroup"
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            places = [mounted, mounted / "unified"]
            names = ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            places = [mounted / "memory"]
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        for place in places:
            own = place / path.strip("/")
            # Inside a container the path may be the host's; what is mounted is then the own one.
            for folder in (
                own,
                *(parent for parent in own.parents if parent.is_relative_to(place)),
            ):
                yield from _of_cgroup(folder, *names)


def _of_cgroup(folder: Path, limit: str, usage: str, reclaimable: str) -> Iterator[MemoryLimit]:
    most, used = (_number(folder / name) for name in (limit, usage))
    if most is not None and used is not None:
        cached = (line.split() for line in _lines(folder / "memory.stat"))
        freed = sum(int(words[1]) for words in cached if words[0] == reclaimable)
        yield MemoryLimit(max(0, most - used + freed), "left of the limit of its cgroup")


def _number(path: Path) -> int | None:
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdecimal() else None  # v2 says "max" for none


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []
