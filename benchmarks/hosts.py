"""Hosts of one machine for benchmarks: network namespaces with names of their own, and a cable.

Needs Linux, iproute2 and root. A host has a network and a host name of its own; files, memory and
cores are the machine's. Killing one is what a power cut does: SIGKILL for all of its processes.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import IO

NETWORK = IPv4Network("10.77.0.0/24")  # of the hosts alone
NAMES = Path("/etc/netns")  # `ip netns exec NAME` mounts what lies in NAME/ over /etc
DIES_WITHIN_S = 30
NAMED = 'hostname "$0" && exec "$@"'


@dataclass(frozen=True, slots=True)
class Host:
    """Host by its name, which its network namespace has as well, and its address."""

    name: str
    address: str

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], output: IO[str]
    ) -> "subprocess.Popen[str]":
        """Start a command on this host; what it says goes to `output`."""
        inside = ["ip", "netns", "exec", self.name, "unshare", "--uts", "sh", "-c", NAMED]
        return subprocess.Popen(
            [*inside, self.name, *command],
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def kill(self) -> None:
        """End all processes of this host at once, as when its power fails."""
        until = time.monotonic() + DIES_WITHIN_S
        while (alive := self._processes()) and time.monotonic() < until:
            for pid in alive:
                _kill(pid)
            time.sleep(0.02)

    def _processes(self) -> list[int]:
        found = _run("ip", "netns", "pids", self.name).split()
        return [pid for pid in map(int, found) if _is_alive(pid)]


@contextmanager
def hosts(names: Sequence[str]) -> Iterator[list[Host]]:
    """Set up two hosts that see each other and nothing else; take them down afterwards.

    Raises RuntimeError with the words of `ip` where the system does not let them be made. SIGTERM
    becomes SystemExit, so that nothing of them is left over.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    first, second = (Host(name, str(NETWORK[number])) for number, name in enumerate(names, start=1))
    with ExitStack() as stack:
        for host in (first, second):
            stack.enter_context(_namespace(host, (first, second)))
        cable = ["type", "veth", "peer", "name", "eth0", "netns", second.name]
        _run("ip", "link", "add", "eth0", "netns", first.name, *cable)
        for host in (first, second):
            address = f"{host.address}/{NETWORK.prefixlen}"
            _run("ip", "-n", host.name, "addr", "add", address, "dev", "eth0")
            for device in ("lo", "eth0"):
                _run("ip", "-n", host.name, "link", "set", device, "up")
        yield [first, second]


@contextmanager
def _namespace(host: Host, everyone: Sequence[Host]) -> Iterator[None]:
    _run("ip", "netns", "add", host.name)
    files = NAMES / host.name
    try:
        files.mkdir(parents=True)
        lines = [f"{each.address} {each.name}" for each in everyone]
        (files / "hosts").write_text("\n".join(["127.0.0.1 localhost", *lines]) + "\n")
        yield
    finally:
        host.kill()
        shutil.rmtree(files)
        _run("ip", "netns", "del", host.name)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it has ended meanwhile
        os.kill(pid, signal.SIGKILL)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
