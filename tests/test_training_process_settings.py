"""Process settings of training: OpenMP's spinning limit, and memory that is kept when freed."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from training.process_settings import SPIN_COUNT, WAIT_VARIABLES, limit_spinning


def test_the_limit_is_set_where_nobody_has_chosen() -> None:
    environment = {"OMP_NUM_THREADS": "2"}
    limit_spinning(environment)
    assert environment == {"OMP_NUM_THREADS": "2", "GOMP_SPINCOUNT": str(SPIN_COUNT)}


@pytest.mark.parametrize(
    "chosen", [{"GOMP_SPINCOUNT": "5"}, {"OMP_WAIT_POLICY": "active"}, {"OMP_WAIT_POLICY": ""}]
)
def test_what_the_user_has_set_stands(chosen: dict[str, str]) -> None:
    environment = dict(chosen)
    limit_spinning(environment)
    assert environment == chosen


@pytest.fixture(scope="module")
def said_at_start() -> list[str]:
    """What libgomp says that it has read, and Python what it imports, at the start of a command."""
    environment = {name: value for name, value in os.environ.items() if name not in WAIT_VARIABLES}
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "training", "train", "--help"],
        capture_output=True,
        text=True,
        env={**environment, "OMP_DISPLAY_ENV": "verbose"},
        check=True,
    )
    return [line.strip() for line in ended.stderr.splitlines()]


@pytest.mark.skipif(sys.platform != "linux", reason="torch comes with libgomp on Linux only")
def test_training_sets_the_limit_before_the_library_is_loaded(said_at_start: list[str]) -> None:
    counts = {line for line in said_at_start if "GOMP_SPINCOUNT" in line}
    assert counts == {f"GOMP_SPINCOUNT = '{SPIN_COUNT}'"}


def test_a_command_does_not_wait_for_what_only_others_import(said_at_start: list[str]) -> None:
    imported = {line.rpartition("|")[2].strip() for line in said_at_start}
    assert "training.run" in imported
    assert not imported & {"optuna", "training.tuning.search", "training.cell_study.cell_study_run"}


HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage")
KEEPING = """
import ctypes
from training.process_settings import keep_freed_memory
keep_freed_memory()
size = 64 * 2**20
libc = ctypes.CDLL(None)
libc.malloc.argtypes, libc.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
piece = libc.malloc(size)
ctypes.memset(piece, 1, size)
libc.free(piece)
inside = False
for line in open("/proc/self/smaps"):
    first, *others = line.split()
    if "-" in first:
        begin, end = (int(each, 16) for each in first.split("-"))
        inside = begin <= piece + size // 2 < end
    elif inside and first in ("Rss:", "VmFlags:"):
        print(*others)
"""


@pytest.mark.skipif(not HUGE_PAGES.exists(), reason="a Linux without huge pages")
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc's malloc")
def test_freed_memory_stays_in_the_process_on_huge_pages() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KEEPING], capture_output=True, text=True, check=True
    )
    resident, flags = ended.stdout.splitlines()
    assert int(resident.removesuffix(" kB")) >= 63 * 1024
    assert "hg" in flags.split()  # asked for; whether the machine has some left is another matter


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc's malloc")
def test_a_limit_of_address_space_is_left_to_what_needs_it() -> None:
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31)){KEEPING}"
    ended = subprocess.run(
        [sys.executable, "-c", limited], capture_output=True, text=True, check=True
    )
    assert "hg" not in ended.stdout.split()
