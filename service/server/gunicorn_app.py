"""gunicorn application: gunicorn's settings, and the start and the end of its one worker.

One worker, because one process holds one copy of each model; threads only wait for the engine.
Neither the application nor torch is loaded before the fork: the master needs none of it, and
torch's threads would not survive it.
"""

import gc
import resource
import signal
import socket
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import structlog
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.errors import HaltServer  # type: ignore[import-untyped]

from model.errors import ModelError
from model.extras import needs_extra
from service.observability.logs import configure_logs, standard_logging
from service.server.connection import ConnectionLimits, WsgiApp
from service.server.crash_loop import CrashLoop, SharedFlag
from service.server.drain import DrainTimeline
from service.server.gunicorn_worker import RequestBufferingWorker
from service.server.request_head import MAX_HEADER, MAX_HEADERS, MAX_REQUEST_LINE
from service.settings import Settings
from service.timeouts import ANSWER_MARGIN_S, KEEP_ALIVE_S, WORKER_HEARTBEAT_TIMEOUT_S

if TYPE_CHECKING:
    from service.server.service_process import Service

SPARE_FILES = 256  # beside connections: for logs, checkpoints and the ops listener
MACOS_OPEN_FILES = 10_240  # OPEN_MAX of its sys/syslimits.h
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes a private file there
APP_LOAD_ERROR = 4  # gunicorn's: the master gives up instead of trying again
CRASH_LOOP_EXIT_CODE = 5


def gunicorn_settings(settings: Settings) -> dict[str, Any]:
    """Settings of gunicorn without its hooks, made from those of the service."""
    chosen = {
        "bind": bind_address(settings.host, settings.port),
        "workers": 1,
        "worker_class": RequestBufferingWorker,
        "threads": settings.http_threads,
        "worker_connections": settings.max_connections,
        "preload_app": False,
        "control_socket_disable": True,
        # No peer may say what the path or the scheme was, not even one on this machine: whom to
        # believe is `service.access.control`'s to know.
        "forwarded_allow_ips": "",
        # One reading of a request, whatever else is installed, within limits that documents name.
        "http_parser": "python",
        "limit_request_line": MAX_REQUEST_LINE,
        "limit_request_fields": MAX_HEADERS,
        "limit_request_field_size": MAX_HEADER,
        "timeout": WORKER_HEARTBEAT_TIMEOUT_S,
        "graceful_timeout": DrainTimeline.of(settings.drain).killed_s,
        "keepalive": KEEP_ALIVE_S,
        "logconfig_dict": standard_logging(settings.log_level),
        "proc_name": "strophe",
    }
    # The heartbeat is a file: on a disk, a full one would kill the worker.
    return {**chosen, "worker_tmp_dir": str(SHARED_MEMORY)} if SHARED_MEMORY.is_dir() else chosen


def bind_address(host: str, port: int) -> str:
    """Host and port in gunicorn's notation, with IPv6 addresses in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def raise_open_files_limit(count: int) -> None:
    """Raise this process's soft limit of open files to `count`, as far as the hard one allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= count or soft == resource.RLIM_INFINITY:
        return
    most = count if hard == resource.RLIM_INFINITY else min(count, hard)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    except ValueError:  # macOS has a hard limit of none, and allows no more than this
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, MACOS_OPEN_FILES), hard))


class GunicornApplication(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with the service's settings; makes the Service in the worker, after the fork."""

    def __init__(self, settings: Settings, ops_socket: socket.socket) -> None:
        self._settings = settings
        self._ops_socket = ops_socket
        self._service: Service | None = None
        self._crash_loop = CrashLoop()  # in the master
        super().__init__()

    @property
    def limits(self) -> ConnectionLimits:
        """Limits that the worker enforces: how long a client may take, how much it may send."""
        settings = self._settings
        return ConnectionLimits(
            read_head_s=settings.read_head,
            read_body_s=settings.read_body,
            answer_s=settings.max_seconds + ANSWER_MARGIN_S,
            drain_s=DrainTimeline.of(settings.drain).connections_aborted_s,
            max_body=settings.max_body,
        )

    def load_config(self) -> None:
        """Configure gunicorn and the logs: called by it, before the fork."""
        configure_logs(self._settings.log_level)
        for name, value in gunicorn_settings(self._settings).items():
            self.cfg.set(name, value)
        self.cfg.set("child_exit", self._on_worker_death)
        self.cfg.set("pre_fork", self._before_worker)
        self.cfg.set("post_worker_init", self._on_worker_init)
        self.cfg.set("worker_int", self._on_worker_interrupt)
        self.cfg.set("worker_exit", self._on_worker_exit)

    def load(self) -> WsgiApp:
        """Make the Service and return its WSGI application: called by gunicorn in the worker."""
        raise_open_files_limit(self._settings.max_connections + SPARE_FILES)
        # Here and not at the top: the master would load torch, only to fork.
        try:
            with needs_extra("serve"):
                from service.server.service_process import Service  # noqa: PLC0415
            self._service = Service(self._settings, self._ops_socket)
        except ModelError as error:
            structlog.get_logger().error("cannot_start", reason=str(error))
            raise SystemExit(APP_LOAD_ERROR) from error
        return self._service.app

    def _on_worker_death(self, server: Any, worker: Any) -> None:
        self._crash_loop.note_death(was_ready=worker.has_loaded.is_set)

    def _before_worker(self, server: Any, worker: Any) -> None:
        """Prepare a worker, or give up: not at a death, since at the stop that is wanted."""
        worker.has_loaded = SharedFlag()
        if self._crash_loop.is_detected:
            structlog.get_logger().error(
                "crash_loop",
                deaths=self._crash_loop.num_deaths,
                reason="the worker died again and again before it had loaded its models, and is "
                "not started any more; is there enough memory?",
            )
            raise HaltServer(reason=None, exit_status=CRASH_LOOP_EXIT_CODE)

    def _on_worker_init(self, worker: Any) -> None:
        service = self._service
        if service is None:
            return
        finish_requests = signal.getsignal(signal.SIGTERM)

        def drain(number: int, frame: FrameType | None) -> None:
            service.begin_drain()
            if callable(finish_requests):
                finish_requests(number, frame)

        signal.signal(signal.SIGTERM, drain)
        worker.on_connection_ended = service.metrics.connection_ended
        service.metrics.connections.set_function(lambda: worker.num_connections)
        service.start(goes_on=lambda: worker.alive, on_loaded=worker.has_loaded.set)
        # What is there now stays. Left to the collector, it would look through all of it (torch is
        # 200,000 objects) now and then, and stop every stream for 70 ms.
        gc.freeze()

    def _on_worker_interrupt(self, worker: Any) -> None:
        if self._service is not None:
            self._service.engine.abandon()

    def _on_worker_exit(self, server: Any, worker: Any) -> None:
        # Also called in the master for a worker that is gone: there is no service there.
        if self._service is not None:
            self._service.stop()
