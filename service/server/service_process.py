"""Service process: engine, model registry, ops listener and application, started and stopped.

Made in gunicorn's worker, after the fork: torch and its threads do not survive one.
"""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from flask import Flask

from model import checkpoint as checkpoints
from model import pretrained
from model.device import resolve_device, use_threads
from model.stores.address import is_address
from model.stores.mirror import Mirror
from service.app import create_app, create_ops_app
from service.engine.engine import Engine
from service.engine.request import Request
from service.engine.runner import CheckpointRunner
from service.engine.scheduler import Scheduler
from service.models.registry import Registry
from service.models.served_model import LoadedModel
from service.models.store_watch import StoreWatch
from service.observability.metrics import Metrics
from service.observability.ops_listener import OpsListener
from service.observability.tracing import start_tracing
from service.server.connection import END_REASONS
from service.server.drain import DrainTimeline
from service.settings import Settings
from service.timeouts import FIRST_SCAN_CHECK_S, FIRST_SCAN_TIMEOUT_S


class Service:
    """Parts of one service process, wired. Raises ParameterError when the device is not there."""

    def __init__(
        self, settings: Settings, ops_socket: socket.socket, shipped: Path = pretrained.FOLDER
    ) -> None:
        self._settings = settings
        self._device = resolve_device(settings.device)
        use_threads(settings.threads)
        self.metrics = metrics = Metrics(END_REASONS)
        metrics.describe_build(device=str(self._device))
        self._tracing = start_tracing()
        scheduler: Scheduler[Request] = Scheduler(
            num_slots=settings.max_streams, max_waiting=settings.max_queue
        )
        self.engine = Engine(scheduler, metrics.engine, max_request_s=settings.max_seconds)
        stores = {
            place: StoreWatch(Mirror(place, settings.cache), settings.poll)
            for place in settings.checkpoints
            if is_address(place)
        }
        self.registry = Registry(
            checkpoints=[
                stores[place].folder if place in stores else Path(place)
                for place in settings.checkpoints
            ],
            shipped=[shipped / name for name in settings.shipped],
            load=self._load,
            observer=metrics,
            default_model=settings.default_model,
            poll_s=settings.poll,
            stores=list(stores.values()),
        )
        self.app: Flask = create_app(settings, self.engine, self.registry, metrics, self._tracing)
        ops_app = create_ops_app(self.engine, self.registry, metrics)
        self._ops = OpsListener(ops_app, ops_socket)

    def start(
        self,
        goes_on: Callable[[], bool] = lambda: True,
        on_loaded: Callable[[], None] = lambda: None,
    ) -> None:
        """Start the threads; returns when the checkpoints that are there were tried.

        Sooner where that takes long, or where `goes_on` says that the service was told to stop
        before it has begun. Once they were tried, and not before, the service is ready, says so in
        the log, and calls `on_loaded`, on the registry's thread.
        """
        self._ops.start()
        self.engine.start()

        def announce() -> None:
            self._log_models()
            on_loaded()

        self.registry.start(announce)
        until = time.monotonic() + FIRST_SCAN_TIMEOUT_S
        while goes_on() and time.monotonic() < until:
            if self.registry.wait_for_first_scan(FIRST_SCAN_CHECK_S):
                return
        if goes_on():
            loading = sorted(self.registry.catalogue.loading)
            structlog.get_logger().warning("still_loading", models=loading)

    def _log_models(self) -> None:
        log, catalogue = structlog.get_logger(), self.registry.catalogue
        if not catalogue.models:
            log.warning("no_model", checkpoints=list(self._settings.checkpoints))
        log.info(
            "serving",
            address=base_url(self._settings.host, self._settings.port),
            models=[model.name for model in catalogue.models],
            default=catalogue.default_name,
        )

    def _load(self, folder: Path) -> LoadedModel:
        """Load a checkpoint folder, ready to serve. Raises ModelError."""
        checkpoint = checkpoints.load(folder, self._device)
        settings = self._settings
        if checkpoint.copy_index is not None:
            checkpoint.copy_index.prepare()
        runner = CheckpointRunner.of(checkpoint, settings.path, settings.cached_prompts)
        return LoadedModel.of(runner, checkpoint, runner.measured_feeding_speed())

    def begin_drain(self) -> None:
        """Refuse new requests; let texts that run go on until the engine's drain deadline."""
        if self._tracing is not None:
            self._tracing.begin_drain()
        self.engine.begin_drain(DrainTimeline.of(self._settings.drain).engine_deadline_s)

    def stop(self) -> None:
        """Stop all threads of the process, but for those of gunicorn."""
        self.registry.stop()
        self.engine.stop()
        if self._tracing is not None:
            self._tracing.stop()
        self._ops.stop()


def base_url(host: str, port: int) -> str:
    """URL of the service, to be typed into a browser."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
