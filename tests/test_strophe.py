"""Console command `strophe`: hands each command to its package, wherever it is started."""

import argparse
import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
import requests
from waiting import ENDS_WITHIN_S, wait_until

import strophe

pytest_plugins = ["service_fixtures"]

ROOT = Path(__file__).parent.parent
PACKAGES = ("model", "training", "verse")
# What one finds in a folder of texts and scripts, and what macOS does not have.
SHADOWING = ("model", "training", "verse", "service", "strophe", "numpy", "flask")
ON_MACOS = """
import os, select
del os.sched_getaffinity, select.POLLRDHUP
"""
RUN = "import strophe; strophe.main()"


def run(code: str, *words: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run code as a console command runs: with -P nothing is imported from the folder."""
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def commands_of(parser: argparse.ArgumentParser) -> dict[str, str | None]:
    """The commands of a parser with their help."""
    assert parser._subparsers is not None
    actions = parser._subparsers._group_actions
    choices: list[argparse.Action] = getattr(actions[0], "_choices_actions")  # noqa: B009
    return {each.dest: each.help for each in choices}


def test_each_package_has_the_commands_that_are_listed() -> None:
    own: dict[str, str | None] = {"serve": "serve checkpoints over HTTP"}
    for package in PACKAGES:
        own |= commands_of(import_module(f"{package}.__main__").build_parser())
    assert commands_of(strophe.build_parser()) == own


@pytest.mark.parametrize("words", [["sing"], ["--loud"], ["serve", "--port", "9000"]])
def test_what_is_no_command_and_no_flag_is_refused(words: list[str]) -> None:
    ended = run(RUN, *words)
    assert ended.returncode == 2
    assert "\nstrophe: error: " in ended.stderr


def test_the_command_is_installed_by_that_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"strophe": "strophe:main"}
    assert project["tool"]["setuptools"]["py-modules"] == ["strophe"]


@pytest.mark.parametrize(
    ("package", "words", "extra"),
    [
        ("rich", ["train", "--minutes", "1"], "train"),
        ("optuna", ["tune"], "train"),
        ("gunicorn", ["serve"], "serve"),
        ("pydantic_settings", ["serve"], "serve"),
    ],
)
def test_a_missing_extra_is_one_line_that_names_it(
    package: str, words: list[str], extra: str
) -> None:
    ended = run(f"import sys; sys.modules[{package!r}] = None; {RUN}", *words)
    line = f"error: {package} is not installed: pip install 'strophe[{extra}]'\n"
    assert (ended.returncode, ended.stderr) == (2, line)


def test_listing_the_commands_needs_nothing_that_is_an_extra() -> None:
    extras = ("torch", "rich", "optuna", "gunicorn", "flask", "limits", "structlog")
    code = f"import sys; sys.modules.update(dict.fromkeys({extras!r})); {RUN}"
    ended = run(code, "--help")
    assert ended.returncode == 0
    assert strophe.COMMANDS.keys() <= set(ended.stdout.split())


@pytest.fixture(scope="module")
def crowded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with modules of our names and others', none of which can be imported."""
    folder = tmp_path_factory.mktemp("texts")
    for name in SHADOWING:
        (folder / f"{name}.py").write_text("raise ImportError('not what was meant')\n")
    return folder


def test_modules_in_the_working_directory_stop_no_command(crowded_folder: Path) -> None:
    ended = run(RUN, "describe", folder=crowded_folder)
    assert (ended.returncode, ended.stderr) == (0, "")
    ended = run(RUN, "prepare", "--corpus", "none", "--out", "data", folder=crowded_folder)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith("error: ")


@pytest.fixture(scope="module")
def url(
    crowded_folder: Path, tiny_checkpoint: Path, free_ports: Callable[[int], list[int]]
) -> Iterator[str]:
    """A service started in that folder, as on macOS, with one slot."""
    port, ops_port = free_ports(2)
    settings = {
        "STROPHE_PORT": str(port),
        "STROPHE_OPS_PORT": str(ops_port),
        "STROPHE_CHECKPOINTS": str(tiny_checkpoint.parent),
        "STROPHE_DEFAULT_MODEL": "tiny",
        "STROPHE_MAX_STREAMS": "1",
        "PYTHONPATH": str(ROOT),
    }
    log = crowded_folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", ON_MACOS + RUN, "serve"],
            env={**os.environ, **settings},
            cwd=crowded_folder,
            stderr=output,
            stdout=output,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: process.poll() is not None or is_ready(ops_port), 120)
        assert process.poll() is None, log.read_text()
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=ENDS_WITHIN_S) == 0
    assert "Traceback" not in log.read_text()


def is_ready(ops_port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{ops_port}/readyz", timeout=5).ok
    except (requests.ConnectionError, requests.Timeout):
        return False
    finally:
        time.sleep(0.05)  # loading needs the cores as well


def test_the_service_starts_there_on_macos_and_sees_a_client_leave(url: str) -> None:
    endless = {"max_tokens": 50_000, "min_tokens": 50_000}
    with requests.post(f"{url}/v1/generate", json=endless, stream=True, timeout=10) as stream:
        assert next(stream.iter_content(1))

    def is_free() -> bool:
        return "strophe_streams_running 0.0" in requests.get(f"{url}/metrics", timeout=5).text

    wait_until(is_free, 5)
    assert requests.post(f"{url}/v1/generate", json={"max_tokens": 3}, timeout=10).ok
