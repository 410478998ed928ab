"""Processes that tests start of Python programs, forked from one that has loaded torch already.

Loading torch, with what else `python -m service` and `python -m training` need, takes seconds of
CPU. A process of these is one of its own here too, with its own arguments, environment, folder,
signals and end; only what it imports is there. A test of the start itself starts Python.
"""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO

from fork_server import REPORT

ROOT = Path(__file__).parent.parent
PROGRAM = Path(__file__).with_name("fork_server.py")
# What the processes of a package find loaded; less is sooner forked, and sooner at its end.
LOADED = {
    "service": (
        "service.server.gunicorn_app",
        "service.server.service_process",
        "gunicorn.arbiter",
    ),
    "training": ("training.commands.train", "training.commands.tune", "torch._dynamo"),
}
FORK_S = 240  # the first waits until the modules are loaded, on a machine with other work


@cache
def fork_server(package: str) -> socket.socket:
    """The socket by which orders go to this process's own fork server of a package."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(theirs.fileno()), *LOADED[package]],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            pass_fds=[theirs.fileno()],
        )

    def stop() -> None:
        ours.close()
        process.wait()

    atexit.register(stop)
    return ours


class Forked:
    """Process of a Python command line, `-m module ...` or `-c code ...`; as Popen is of any.

    Its standard input is a pipe that stays open and silent; standard output and standard error
    go to `output`, or else are what `communicate` gives.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] = os.environ,
        folder: Path = ROOT,
        output: IO[bytes] | None = None,
    ) -> None:
        self.returncode: int | None = None
        self._said = tempfile.TemporaryFile() if output is None else None  # noqa: SIM115
        to = output if output is not None else self._said
        assert to is not None
        order = {"command": [*command], "environment": {**environment}, "folder": str(folder)}
        self._reports, report = os.pipe()
        standard_input, self._input = os.pipe()
        fds = [report, standard_input, to.fileno()]
        package = "service" if "service" in command else "training"
        socket.send_fds(fork_server(package), [json.dumps(order).encode()], fds)
        os.close(report)
        os.close(standard_input)
        pid = self._next_report(FORK_S)
        assert pid is not None, "the fork server does not answer"
        self.pid = pid

    def _next_report(self, seconds: float | None) -> int | None:
        waiting = select.poll()
        waiting.register(self._reports, select.POLLIN)
        if not waiting.poll(None if seconds is None else seconds * 1000):
            return None
        number = os.read(self._reports, REPORT.size)
        assert number, "the fork server has died"
        return int(REPORT.unpack(number)[0])

    def poll(self) -> int | None:
        if self.returncode is None:
            self._take_end(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, as Popen gives it. Raises TimeoutExpired."""
        if self.returncode is None:
            self._take_end(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self.returncode

    def _take_end(self, seconds: float | None) -> None:
        self.returncode = self._next_report(seconds)
        if self.returncode is not None:
            os.close(self._reports)
            self._close_input()

    def _close_input(self) -> None:
        if self._input >= 0:
            os.close(self._input)
            self._input = -1

    def communicate(self, text: str = "", timeout: float | None = None) -> tuple[None, str]:
        """Give it `text` to read and nothing more; in the place of standard error what it said."""
        assert self._said is not None, "what it says goes to a file of the caller's"
        if text and self._input >= 0:
            os.write(self._input, text.encode())
        self._close_input()
        self.wait(timeout)
        with self._said:
            self._said.seek(0)
            return None, self._said.read().decode()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
