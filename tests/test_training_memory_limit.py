"""Free memory: the narrowest limit counts, whoever sets it."""

import resource
from pathlib import Path

import pytest
import torch

from training.memory_limit import free_memory
from training.training_errors import is_out_of_memory

MIB = 1 << 20


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


MACHINE = {"proc/meminfo": f"MemTotal: 9 kB\nMemAvailable: {900 * 1024} kB\n"}
V2 = {
    "proc/self/cgroup": "0::/app/own\n",
    "sys/fs/cgroup/app/memory.max": f"{500 * MIB}\n",
    "sys/fs/cgroup/app/memory.current": f"{400 * MIB}\n",
    "sys/fs/cgroup/app/memory.stat": f"anon 1\ninactive_file {150 * MIB}\n",
    "sys/fs/cgroup/app/own/memory.max": "max\n",
    "sys/fs/cgroup/app/own/memory.current": f"{400 * MIB}\n",
}
V1 = {
    "proc/self/cgroup": "3:cpu,cpuacct:/x\n4:memory:/docker/of-the-host\n1:name=systemd:/\n0::/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{256 * MIB}\n",
    "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{56 * MIB}\n",
    "sys/fs/cgroup/memory/memory.stat": "inactive_file 7\ntotal_inactive_file 0\n",
}
NO_LIMIT = {
    **V1,
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
}


@pytest.mark.parametrize(
    ("files", "mebibytes", "whose"),
    [
        (MACHINE, 900, "free on this machine"),
        ({**MACHINE, **V2}, 250, "cgroup"),
        ({**MACHINE, **V1}, 200, "cgroup"),
        ({**MACHINE, **NO_LIMIT}, 900, "free on this machine"),
        ({**V2, "sys/fs/cgroup/app/memory.max": f"{MIB}"}, 0, "cgroup"),
    ],
    ids=["machine", "cgroup v2", "cgroup v1", "no limit", "overdrawn"],
)
def test_the_narrowest_limit_counts(
    tmp_path: Path, files: dict[str, str], mebibytes: int, whose: str
) -> None:
    found = free_memory(write(tmp_path, files))
    assert found.num_bytes == mebibytes * MIB
    assert whose in found.whose


def test_where_nothing_can_be_read_there_is_no_limit(tmp_path: Path) -> None:
    assert free_memory(tmp_path).num_bytes > 1 << 60


def test_of_this_process_there_is_less_under_ulimit() -> None:
    free = free_memory().num_bytes
    assert 0 < free < 1 << 60
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + 64 * MIB
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        left = free_memory()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert left.whose == "left of ulimit"
    assert left.num_bytes <= 64 * MIB


def test_an_allocation_that_fails_is_known_from_other_errors() -> None:
    with pytest.raises(RuntimeError) as failed:
        torch.empty(1 << 60)
    assert is_out_of_memory(failed.value)
    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"))
    with pytest.raises(RuntimeError) as other:
        torch.zeros(2) @ torch.zeros(3)
    assert not is_out_of_memory(other.value)
