"""Replicas of the service behind nginx, with the files that ship, on loopback: started and broken.

Each process is a group of its own with its output in a file, so it can be killed as a machine's
loss of power would, and started again at the same address.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from measured import ROOT
from served import free_port

NGINX_FILES = ROOT / "deploy" / "nginx"
READY_S = 120.0
END_S = 60.0


def wait_until(holds: Callable[[], bool], timeout_s: float = READY_S) -> None:
    """Wait until something holds. Raises TimeoutError."""
    until = time.monotonic() + timeout_s
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {timeout_s:.0f} s")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Check whether a URL is answered with success."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


class Restartable:
    """Process that is started, ended in either way, and started again."""

    def __init__(
        self, command: list[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._command = command
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it need not be ready yet."""
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env=self._environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        if self._process is not None:
            self._process.send_signal(number)

    def end(self) -> int | None:
        """End the process as its manager would; gives its exit code. Killed if that takes long."""
        if self._process is None:
            return None
        self._process.terminate()
        try:
            return self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.returncode

    def kill(self) -> None:
        """Kill the process with all of its children, at once."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(END_S)


@contextmanager
def running(*processes: Restartable) -> Iterator[None]:
    """Run processes; on leaving they are ended."""
    with ExitStack() as stack:
        for process in processes:
            process.start()
            stack.callback(process.end)
        yield


def find_program(name: str) -> str | None:
    """Find the path of a program; Debian's servers are not in everyone's path."""
    return shutil.which(name) or shutil.which(f"/usr/sbin/{name}")


def _program(name: str) -> str:
    found = find_program(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found


class Replica(Restartable):
    """Replica of the service; `settings` are those of the service by their names."""

    def __init__(self, name: str, folder: Path, **settings: object) -> None:
        self.name = name
        self.port, self._ops_port = free_port(), free_port()
        chosen = {
            "replica": name,
            "port": self.port,
            "ops_port": self._ops_port,
            "trusted_proxies": 1,
            "threads": 1,
            **settings,
        }
        environment = {f"STROPHE_{key.upper()}": str(value) for key, value in chosen.items()}
        environment["PYTHONPATH"] = str(ROOT)
        super().__init__([sys.executable, "-m", "service"], folder, environment)

    def wait_until_ready(self) -> None:
        """Wait until the replica writes. Raises TimeoutError."""
        wait_until(lambda: answers(f"http://127.0.0.1:{self._ops_port}/readyz"))


class Nginx(Restartable):
    """nginx with the files that ship; only the ports are others. `replicas` are ports by name.

    Raises FileNotFoundError where there is no nginx.
    """

    def __init__(self, folder: Path, replicas: Mapping[str, int]) -> None:
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        (folder / "replicas.conf").write_text(_replicas_file(replicas), encoding="utf-8")
        (folder / "nginx.conf").write_text(_main_file(folder, self.port), encoding="utf-8")
        log = str(folder / "error.log")
        super().__init__([_program("nginx"), "-c", str(folder / "nginx.conf"), "-e", log], folder)

    def wait_until_ready(self) -> None:
        """Wait until nginx takes connections. Raises TimeoutError."""
        wait_until(lambda: answers(f"http://127.0.0.1:{self.port}/healthz"))


def _replicas_file(replicas: Mapping[str, int]) -> str:
    """File of the replicas' addresses that ships: of its two, the second once for each more."""
    shipped = (NGINX_FILES / "replicas.conf").read_text(encoding="utf-8")
    (first, port), *others = replicas.items()
    lines = []
    for line in shipped.splitlines():
        if ":8010" in line:
            for name, other in others:
                lines.append(re.sub(r"\bb (?=127)", f"{name} ", line).replace("8010", str(other)))
        else:
            lines.append(re.sub(r"\ba (?=127)", f"{first} ", line).replace(":8000", f":{port}"))
    return "\n".join(lines) + "\n"


def _main_file(folder: Path, port: int) -> str:
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
        daemon off; pid {folder}/pid; error_log {folder}/error.log warn;
        events {{ worker_connections 512; }}
        http {{
            access_log off; {temporary}
            include {NGINX_FILES}/strophe.conf; include {folder}/replicas.conf;
            server {{ listen 127.0.0.1:{port}; include {NGINX_FILES}/server.conf; }}
        }}
        """


class Redis(Restartable):
    """redis-server that keeps nothing on disk. Raises FileNotFoundError where there is none."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        place = ["--port", str(self.port), "--bind", "127.0.0.1"]
        kept = ["--save", "", "--appendonly", "no"]
        super().__init__([_program("redis-server"), *place, *kept], folder)
