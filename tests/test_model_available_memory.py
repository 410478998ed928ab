"""Available memory: the least of machine, control groups and the limit of address space."""

import resource
from pathlib import Path

from model.available_memory import available_memory

KB, MB = 1 << 10, 1 << 20


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def machine(tmp_path: Path, cgroup: str) -> tuple[Path, Path]:
    """A machine with 1,000 MB available and no swap."""
    write(
        tmp_path / "proc/meminfo", f"MemTotal: 9 kB\nMemAvailable: {1000 * KB} kB\nSwapFree: 0 kB\n"
    )
    write(tmp_path / "proc/self/cgroup", cgroup)
    return tmp_path / "proc", tmp_path / "groups"


def test_this_machine_has_some() -> None:
    available = available_memory()
    assert available is not None
    assert available > MB


def test_without_limits_it_is_what_the_machine_has(tmp_path: Path) -> None:
    assert available_memory(*machine(tmp_path, "0::/\n")) == 1000 * MB


def test_where_the_system_tells_nothing_it_is_unknown(tmp_path: Path) -> None:
    assert available_memory(tmp_path, tmp_path) is None


def test_a_container_has_what_its_limit_leaves_where_caches_count_as_free(tmp_path: Path) -> None:
    """The path is that on the host, which the container does not see."""
    proc, groups = machine(tmp_path, "0::/system.slice/docker-1.scope\n")
    write(groups / "memory.max", str(256 * MB))
    write(groups / "memory.current", str(200 * MB))
    write(groups / "memory.stat", f"anon 1\nactive_file {20 * MB}\ninactive_file {30 * MB}\n")
    assert available_memory(proc, groups) == (256 - 200 + 50) * MB


def test_a_group_without_a_limit_has_what_its_parent_leaves(tmp_path: Path) -> None:
    proc, groups = machine(tmp_path, "0::/parent/child\n")
    write(groups / "parent/child/memory.max", "max")
    write(groups / "parent/child/memory.current", "1")
    write(groups / "parent/memory.max", str(100 * MB))
    write(groups / "parent/memory.current", str(40 * MB))
    assert available_memory(proc, groups) == 60 * MB


def test_the_older_kind_of_control_groups_counts_as_well(tmp_path: Path) -> None:
    proc, groups = machine(tmp_path, "4:cpu:/a\n5:memory:/docker/1\n0::/\n")
    write(groups / "memory/docker/1/memory.limit_in_bytes", str(300 * MB))
    write(groups / "memory/docker/1/memory.usage_in_bytes", str(100 * MB))
    assert available_memory(proc, groups) == 200 * MB


def test_a_limit_of_address_space_counts_as_well() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 300 * MB, hard))
    try:
        available = available_memory()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    assert available is not None
    assert 200 * MB < available <= 300 * MB
