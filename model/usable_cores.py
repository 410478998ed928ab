"""Usable cores: how many this process may keep busy, by affinity and by a container's CPU quota.

Knows nothing of what computes on them.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from model.control_groups import CGROUPS, PROC, ControlGroup, control_groups, lines_of


def usable_cores(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """Count the whole cores that this process may use, at least one.

    The least of the cores that it may run on and the quota of its control groups (`--cpus` of a
    container, `limits.cpu` of a pod). More threads than that would be stopped together, for
    the rest of each period, whenever the quota is spent.
    """
    quotas = [_quota(group) for group in control_groups("cpu", proc, cgroups)]
    limits = [int(quota) for quota in quotas if quota is not None]
    return max(1, min([_affine_cores(), *limits]))


def _affine_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS


def _quota(group: ControlGroup) -> float | None:
    """Cores by which the time of a control group is limited; None where it is not."""
    microseconds = tuple(_microseconds(group))
    if len(microseconds) != 2 or not all(each.isdigit() for each in microseconds):  # max, -1
        return None
    quota, period = map(int, microseconds)
    return quota / period if period else None


def _microseconds(group: ControlGroup) -> Iterator[str]:
    """Words for quota and period, as the files have them."""
    names = ("cpu.max",) if group.version == 2 else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    for name in names:
        for line in lines_of(group.folder / name):
            yield from line.split()
