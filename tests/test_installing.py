"""Installing: which torch make and the container take, and what make says before it fetches it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DEPENDENCIES: list[str] = PROJECT["dependencies"]


def planned(*words: str) -> str:
    """What `make serve` would do in a clone without .venv."""
    environment = {n: v for n, v in os.environ.items() if n not in ("MAKEFLAGS", "TORCH_INDEX_URL")}
    command = ["make", "--dry-run", "serve", "VENV=no-such-folder", *words]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return ended.stdout


def lowest_torch() -> str:
    (torch,) = (each for each in DEPENDENCIES if each.startswith("torch"))
    return torch.partition(",")[0].replace(">=", "==")


needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


@needs_make
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch brings no CUDA")
def test_make_says_how_large_torch_is_and_how_to_get_the_small_one() -> None:
    (line,) = re.findall(r'echo "(fetching .*)"', planned())
    assert "3 GB" in line
    assert f"make serve TORCH_INDEX_URL={CPU_INDEX}" in line


@needs_make
def test_make_fetches_the_first_torch_of_the_range_and_shows_its_progress() -> None:
    plan = planned(f"TORCH_INDEX_URL={CPU_INDEX}")
    (command,) = re.findall(r"pip .*torch.*", plan.partition("fetching")[2])
    assert f"'{lowest_torch()}; python_version < \"3.15\"'" in command
    assert f"--extra-index-url {CPU_INDEX}" in command
    assert "--quiet" not in command
    assert f"from {CPU_INDEX}" in plan


def test_the_container_takes_the_same_torch() -> None:
    (script,) = re.findall(r"\$\((sed -n .* pyproject\.toml)\)", (ROOT / "Dockerfile").read_text())
    ended = subprocess.run(
        ["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == lowest_torch()


@pytest.mark.parametrize("page", ["README.md", "docs/platforms.md"])
def test_the_address_of_the_cpu_build_stands_in_the_documents(page: str) -> None:
    assert CPU_INDEX in (ROOT / page).read_text(encoding="utf-8")


def test_every_extra_stands_in_the_manual() -> None:
    text = (ROOT / "docs" / "platforms.md").read_text(encoding="utf-8")
    extras = set(PROJECT["optional-dependencies"]) - {"dev"}
    assert not [extra for extra in extras if f"| `{extra}` |" not in text]


def test_what_has_no_wheel_for_a_python_is_not_asked_for_there() -> None:
    (zstandard,) = (e for e in PROJECT["optional-dependencies"]["train"] if "zstandard" in e)
    assert zstandard.endswith('; python_version < "3.14"')  # from then on in the standard library
