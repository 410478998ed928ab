"""Control groups: what of a machine the system, or a container, allows this process.

Both versions of Linux' cgroups. Knows nothing of what is limited.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC, CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """Folder of one control group, of version 1 or 2, with the files of its limits."""

    folder: Path
    version: int


def control_groups(controller: str, proc: Path, cgroups: Path) -> Iterator[ControlGroup]:
    """Find the control groups of one controller that this process is in, their parents too.

    Limits of all of them hold. In a container the path is that on the host, of which it may see
    nothing; then its own group is the root.
    """
    for line in lines_of(proc / "self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers:
            version, root = 2, cgroups
        elif controller in controllers.split(","):
            version, root = 1, cgroups / controller
        else:
            continue
        group = root / path.strip("/")
        for folder in (group, *group.parents[: len(group.parts) - len(root.parts)]):
            yield ControlGroup(folder, version)


def number_in(path: Path) -> int | None:
    """Number in a file; None where there is no file or no limit."""
    lines = lines_of(path)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def lines_of(path: Path) -> list[str]:
    """Lines of a small file; none where it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
