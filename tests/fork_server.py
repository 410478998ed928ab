"""Fork server: has loaded what takes seconds of CPU, and forks a process for each order.

Run by `forked`, with the number of the socket that orders come by, and the modules to load. It
starts no thread and computes nothing, so that what it forks is as good as a process that has just
loaded the same modules.
"""

import gc
import json
import os
import runpy
import selectors
import socket
import struct
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module

REPORT = struct.Struct("i")  # a pid, then an exit code


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Command line as Python takes it (`-m module ...` or `-c code ...`), and its surroundings."""

    command: list[str]
    environment: dict[str, str]
    folder: str


class ForkServer:
    """Forks for each order that comes, and reports the pid and then the exit code of each."""

    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._running: dict[int, tuple[int, int]] = {}  # pidfd -> pid and pipe to report by
        self._selector = selectors.DefaultSelector()
        self._selector.register(orders, selectors.EVENT_READ)

    def serve(self) -> Order | None:
        """Work until nobody can send orders; in a forked process, return what it has to run."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is not self._orders:
                    self._report_end(key.fd)
                    continue
                message, fds, *_ = socket.recv_fds(self._orders, 1_000_000, 3)
                if not message:
                    return None
                report, *streams = fds
                if (pid := fork()) == 0:
                    self._leave(report, *streams)
                    return Order(**json.loads(message))
                for fd in streams:
                    os.close(fd)
                self._watch(pid, report)

    def _watch(self, pid: int, report: int) -> None:
        tell(report, pid)
        pidfd = os.pidfd_open(pid)
        self._running[pidfd] = pid, report
        self._selector.register(pidfd, selectors.EVENT_READ)

    def _report_end(self, pidfd: int) -> None:
        self._selector.unregister(pidfd)
        pid, report = self._running.pop(pidfd)
        _, status = os.waitpid(pid, 0)
        tell(report, os.waitstatus_to_exitcode(status))
        os.close(report)
        os.close(pidfd)

    def _leave(self, report: int, standard_input: int, output: int) -> None:
        """Give up, in a forked process, all that is the server's."""
        self._selector.close()
        self._orders.close()
        for pidfd, (_, other) in self._running.items():
            os.close(pidfd)
            os.close(other)
        os.close(report)
        os.dup2(standard_input, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(standard_input)
        os.close(output)


def tell(report: int, number: int) -> None:
    with suppress(BrokenPipeError):  # nobody waits for it any more
        os.write(report, REPORT.pack(number))


def fork() -> int:
    with warnings.catch_warnings():
        # Python counts the threads that BLAS has started on being loaded; BLAS copes with forks.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def run(order: Order) -> None:
    """Run a command line as Python itself would."""
    os.environ.clear()
    os.environ.update(order.environment)
    os.chdir(order.folder)
    kind, what, *arguments = order.command
    sys.argv = [kind, *arguments]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    for name in sys.argv[2:]:
        import_module(name)
    # What is loaded stays to the end: no collection, and no end of a process, has to walk over it.
    gc.collect()
    gc.freeze()
    if (order := ForkServer(socket.socket(fileno=int(sys.argv[1]))).serve()) is not None:
        run(order)
