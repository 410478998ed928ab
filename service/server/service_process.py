"""One service process from start to end: engine, registry, small listener, application.

Made in gunicorn's worker, after the fork: torch and its threads do not survive one.
"""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from flask import Flask

import model.pretrained
from model import checkpoint as checkpoints
from model.device import resolve_device
from service.app import create_app, create_ops_app
from service.engine.engine import Engine
from service.engine.request import Request
from service.engine.runner import CheckpointRunner, use_threads
from service.engine.scheduler import Scheduler
from service.models.about import About
from service.models.registry import Loaded, Registry
from service.observability.metrics import Metrics
from service.observability.ops_listener import OpsListener
from service.observability.tracing import start_tracing
from service.server.connection import REASONS
from service.settings import Settings

SHIPPED = Path(model.pretrained.__path__[0])
FIRST_SCAN_S = 20.0  # within gunicorn's timeout; a larger model is offered when it is there
LOOK_S = 0.1
LAST_WORDS_S = 2.0  # before the grace time is over, for the streams' endings to be sent


class Service:
    """Everything of one process. Raises ParameterError when the device is not there."""

    def __init__(
        self, settings: Settings, ops_socket: socket.socket, shipped: Path = SHIPPED
    ) -> None:
        self._settings = settings
        self._device = resolve_device(settings.device)
        use_threads(settings.threads)
        self.metrics = metrics = Metrics(REASONS)
        metrics.describe_build(device=str(self._device))
        self._tracing = start_tracing()
        scheduler: Scheduler[Request] = Scheduler(
            num_slots=settings.max_streams, max_waiting=settings.max_queue
        )
        self.engine = Engine(scheduler, metrics.engine, max_request_s=settings.max_seconds)
        self.registry = Registry(
            checkpoints=settings.checkpoints,
            shipped=shipped,
            load=self._load,
            observer=metrics,
            default_model=settings.default_model,
            poll_s=settings.poll,
        )
        self.app: Flask = create_app(settings, self.engine, self.registry, metrics, self._tracing)
        ops_app = create_ops_app(self.engine, self.registry, metrics)
        self._ops = OpsListener(ops_app, ops_socket)

    def start(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Start the threads; returns when the checkpoints that are there were tried.

        Or sooner, when the service is told to stop before it has begun.
        """
        self._ops.start()
        self.engine.start()
        self.registry.start()
        until = time.monotonic() + FIRST_SCAN_S
        while goes_on() and time.monotonic() < until:
            if self.registry.wait_for_first_scan(LOOK_S):
                break
        log = structlog.get_logger()
        if not self.registry.served:
            log.warning("no_model", checkpoints=str(self._settings.checkpoints))
        log.info(
            "serving",
            address=address(self._settings.host, self._settings.port),
            models=[served.name for served in self.registry.served],
            default=self.registry.default_name,
        )

    def _load(self, folder: Path) -> Loaded:
        """A checkpoint, ready to serve. Raises ModelError."""
        checkpoint = checkpoints.load(folder, self._device)
        settings = self._settings
        runner = CheckpointRunner.of(checkpoint, settings.path, settings.cached_prompts)
        return Loaded(runner=runner, about=About.of(checkpoint))

    def begin_drain(self) -> None:
        """Take nothing new; let what runs go on until the grace time is nearly over."""
        if self._tracing is not None:
            self._tracing.begin_drain()
        self.engine.begin_drain(max(self._settings.drain - LAST_WORDS_S, self._settings.drain / 2))

    def stop(self) -> None:
        """End all threads."""
        self.registry.stop()
        self.engine.stop()
        if self._tracing is not None:
            self._tracing.stop()
        self._ops.stop()


def address(host: str, port: int) -> str:
    """What to type into a browser."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
