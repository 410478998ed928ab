"""Server as a process of its own: started, waited for, and ended."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from measured import ROOT
from prometheus_client.parser import text_string_to_metric_families


def free_port() -> int:
    """Find a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class Served:
    """Server process, its metrics, and the memory of it and its workers."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, probe_port: int) -> None:
        self.process = process
        self.port = port
        self.probe_port = probe_port
        self._probe = f"http://127.0.0.1:{probe_port}/readyz"

    def wait_until_ready(self) -> None:
        """Wait until the server is ready. Raises RuntimeError when it does not come up."""
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(self._probe, timeout=2).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError("the server did not become ready")

    def metric(self, name: str, **labels: str) -> float:
        """Read one number of /metrics: the sum over the series of `name` that have these labels."""
        url = f"http://127.0.0.1:{self.probe_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        return sum(
            sample.value
            for family in families
            for sample in family.samples
            if sample.name == f"strophe_{name}" and labels.items() <= sample.labels.items()
        )

    def workers(self) -> list[int]:
        """List the process ids of the server's workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def memory_bytes(self) -> int:
        """Resident memory of the server and its workers, in bytes."""
        return sum(resident_bytes(pid) for pid in [self.process.pid, *self.workers()])


def resident_bytes(pid: int) -> int:
    """Resident memory of one process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


@contextmanager
def running(command: list[str], port: int, probe_port: int, **environment: str) -> Iterator[Served]:
    """Run a server: wait until it is ready, and end it afterwards."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "benchmarks")])
    process = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path, **environment},
        stderr=subprocess.DEVNULL,
    )
    try:
        served = Served(process, port, probe_port)
        served.wait_until_ready()
        yield served
    finally:
        process.send_signal(signal.SIGINT)  # nothing, where it has ended
        process.wait(30)


def running_service(
    *, before: Sequence[str] = (), **settings: object
) -> AbstractContextManager[Served]:
    """Run `python -m service` on free ports, its settings by their names.

    `before` stands before the command, such as `taskset -c 0`.
    """
    port, ops_port = free_port(), free_port()
    chosen = {"port": port, "ops_port": ops_port, "log_level": "error", **settings}
    environment = {f"STROPHE_{name.upper()}": str(value) for name, value in chosen.items()}
    return running([*before, sys.executable, "-m", "service"], port, ops_port, **environment)
