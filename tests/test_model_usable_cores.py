"""Usable cores: the least of affinity and the quotas of control groups of both versions."""

import os
from pathlib import Path

import pytest

from model.usable_cores import usable_cores

CORES = 8


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(CORES)), raising=False)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def cores(tmp_path: Path, cgroup: str, **files: str) -> int:
    write(tmp_path / "proc/self/cgroup", cgroup)
    for name, content in files.items():
        write(tmp_path / "groups" / name, content)
    return usable_cores(tmp_path / "proc", tmp_path / "groups")


def test_without_a_quota_they_are_those_that_the_process_may_run_on(tmp_path: Path) -> None:
    assert cores(tmp_path, "0::/\n", **{"cpu.max": "max 100000\n"}) == CORES
    assert usable_cores(tmp_path / "none", tmp_path / "none") == CORES


@pytest.mark.parametrize(
    ("quota", "expected"), [("200000", 2), ("350000", 3), ("50000", 1), ("9900000", CORES)]
)
def test_a_containers_quota_counts_by_whole_cores_and_is_at_least_one(
    tmp_path: Path, quota: str, expected: int
) -> None:
    files = {"cpu.max": f"{quota} 100000\n"}
    assert cores(tmp_path, "0::/system.slice/docker-1.scope\n", **files) == expected


def test_a_parents_quota_holds_as_well(tmp_path: Path) -> None:
    files = {"pod/cpu.max": "300000 100000", "pod/container/cpu.max": "max 100000"}
    assert cores(tmp_path, "0::/pod/container\n", **files) == 3


@pytest.mark.parametrize(("quota", "expected"), [("150000", 1), ("400000", 4), ("-1", CORES)])
def test_version_1_counts_as_well(tmp_path: Path, quota: str, expected: int) -> None:
    folder = "cpu/docker/1/"
    files = {folder + "cpu.cfs_quota_us": quota, folder + "cpu.cfs_period_us": "100000"}
    assert cores(tmp_path, "4:memory:/docker/1\n5:cpu,cpuacct:/docker/1\n", **files) == expected


@pytest.mark.parametrize("content", ["", "many", "100000", "100000 0", "1 2 3"])
def test_files_that_say_something_else_are_no_limit(tmp_path: Path, content: str) -> None:
    assert cores(tmp_path, "0::/\n", **{"cpu.max": content}) == CORES


def test_where_no_process_has_cores_of_its_own_all_of_the_machine_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # as on macOS
    assert usable_cores(tmp_path, tmp_path) == os.cpu_count()
