"""How gunicorn runs the service: one worker with many threads, and what happens at its ends.

One worker, because one process holds one copy of each model; threads only wait for the engine.
Nothing is loaded before the fork, and the master runs no torch.
"""

import gc
import importlib
import math
import resource
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import structlog
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from model.errors import ModelError
from service.observability.logs import configure_logs, standard_logging
from service.server.gunicorn_worker import BorderWorker, Limits
from service.settings import Settings, SettingsError

if TYPE_CHECKING:
    from service.server.service_process import Service

WORKER_TIMEOUT_S = 30  # the worker's main loop is silent for so long: it is killed
KEEP_ALIVE_S = 75  # costs a descriptor; longer than proxies and clients keep idle connections
LAST_WRITES_S = 60.0  # for a slow client to take the end of an answer whose time is up
SPARE_FILES = 256  # beside connections: for logs, checkpoints and the small listener
LEAST_BEFORE_KILL_S = 1.0  # of the grace time, for the worker to end by itself
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes a private file there
APP_LOAD_ERROR = 4  # gunicorn's: the master gives up instead of trying again

WsgiApp = Callable[..., Any]


def options(settings: Settings) -> dict[str, Any]:
    """All of gunicorn's settings, but for the hooks."""
    chosen = {
        "bind": bind_address(settings.host, settings.port),
        "workers": 1,
        "worker_class": BorderWorker,
        "threads": settings.http_threads,
        "worker_connections": settings.max_connections,
        "preload_app": False,
        "control_socket_disable": True,
        # No peer may say what the path or the scheme was, not even one on this machine: whom to
        # believe is `service.access.control`'s to know.
        "forwarded_allow_ips": "",
        "timeout": WORKER_TIMEOUT_S,
        "graceful_timeout": math.ceil(settings.drain),
        "keepalive": KEEP_ALIVE_S,
        "logconfig_dict": standard_logging(settings.log_level),
        "proc_name": "strophe",
    }
    # The heartbeat is a file: on a disk, a full one would kill the worker.
    return {**chosen, "worker_tmp_dir": str(SHARED_MEMORY)} if SHARED_MEMORY.is_dir() else chosen


def bind_address(host: str, port: int) -> str:
    """The address as gunicorn writes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def allow_open_files(count: int) -> None:
    """Raise this process's soft limit to so many, as far as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count and soft != resource.RLIM_INFINITY:
        most = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with our settings; makes the Service in the worker, after the fork."""

    def __init__(self, settings: Settings, ops_socket: socket.socket) -> None:
        self._settings = settings
        self._ops_socket = ops_socket
        self._service: Service | None = None
        super().__init__()

    @property
    def limits(self) -> Limits:
        """What the worker asks for: how long a client may take, and how much it may send."""
        settings = self._settings
        return Limits(
            read_head_s=settings.read_head,
            read_body_s=settings.read_body,
            answer_s=settings.max_seconds + LAST_WRITES_S,
            drain_s=max(settings.drain - LEAST_BEFORE_KILL_S, settings.drain * 0.75),
            max_body=settings.max_body,
        )

    def load_config(self) -> None:
        """Called by gunicorn."""
        for name, value in options(self._settings).items():
            self.cfg.set(name, value)
        self.cfg.set("post_worker_init", self._begin)
        self.cfg.set("worker_int", self._interrupted)
        self.cfg.set("worker_exit", self._end)

    def load(self) -> WsgiApp:
        """Called by gunicorn in the worker: the application."""
        allow_open_files(self._settings.max_connections + SPARE_FILES)
        configure_logs(self._settings.log_level)
        # Here and not at the top: the master would load torch, only to fork.
        worker = importlib.import_module("service.server.service_process")
        try:
            self._service = worker.Service(self._settings, self._ops_socket)
        except (ModelError, SettingsError) as error:
            structlog.get_logger().error("cannot_start", reason=str(error))
            raise SystemExit(APP_LOAD_ERROR) from error
        app: WsgiApp = self._service.app
        return app

    def _begin(self, worker: Any) -> None:
        service = self._service
        if service is None:
            return
        finish_requests = signal.getsignal(signal.SIGTERM)

        def drain(number: int, frame: FrameType | None) -> None:
            service.begin_drain()
            if callable(finish_requests):
                finish_requests(number, frame)

        signal.signal(signal.SIGTERM, drain)
        worker.note_ended = service.metrics.connection_ended
        service.metrics.connections.set_function(lambda: worker.num_connections)
        service.start(goes_on=lambda: worker.alive)
        # What is there now stays. Left to the collector, it would look through all of it (torch is
        # 200,000 objects) now and then, and stop every stream for 70 ms.
        gc.freeze()

    def _interrupted(self, worker: Any) -> None:
        if self._service is not None:
            self._service.engine.abandon()

    def _end(self, server: Any, worker: Any) -> None:
        # Also called in the master for a worker that is gone: there is no service there.
        if self._service is not None:
            self._service.stop()
