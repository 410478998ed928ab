"""Prometheus metrics of the service: counters kept as things happen, gauges read on demand.

One registry of its own per service, so that two services in one process (tests) do not mix.
"""

import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    GCCollector,
    Info,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from service.observability.engine_metrics import EngineMetrics
from service.observability.http_metrics import HttpMetrics
from service.observability.labelled_metrics import MetricFactory
from service.version import installed_version


class Metrics:
    """Metrics of one service, in a Prometheus registry of their own.

    `end_reasons` are why the server may end a connection before its request is whole.
    """

    def __init__(self, end_reasons: Sequence[str] = ()) -> None:
        self.registry = CollectorRegistry()
        factory = MetricFactory(self.registry)
        self.engine = EngineMetrics(factory)
        self.http = HttpMetrics(factory)
        self._loads = factory.counter_by(
            "checkpoint_loads",
            "Checkpoint folders read, by result",
            "result",
            ("loaded", "refused"),
        )
        self.connections = Gauge(
            "strophe_connections", "Open connections to the service", registry=self.registry
        )
        self._ended = factory.counter_by(
            "connections_ended",
            "Connections that were ended before their request was whole, by reason",
            "reason",
            end_reasons,
        )
        self._models = Gauge(
            "strophe_model_info",
            "1 for each model on offer, with how its steps are computed and what its files are",
            ["model", "path", "fingerprint"],
            registry=self.registry,
        )
        self._generations = Gauge(
            "strophe_model_generation",
            "How many checkpoints were loaded under the name of each model on offer",
            ["model"],
            registry=self.registry,
        )
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    def add_gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """Add a gauge that calls `read` whenever metrics are exposed."""
        Gauge(f"strophe_{name}", help_text, registry=self.registry).set_function(read)

    def describe_build(self, *, device: str) -> None:
        """Add the info metric with versions and device. To be called once."""
        facts = {
            "version": installed_version(),
            "torch": version("torch"),
            "python": platform.python_version(),
            "device": device,
        }
        Info("strophe_build", "What this service is made of", registry=self.registry).info(facts)

    def exposition(self) -> bytes:
        """Metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def connection_ended(self, reason: str) -> None:
        """Count a connection that ended before its request was whole: slow, too long, gave way."""
        self._ended.labels(reason).inc()

    def checkpoint_loaded(
        self, model: str, backend: str, *, fingerprint: str, generation: int
    ) -> None:
        """Count a loaded checkpoint, and show its model in place of one of the same name."""
        self._loads.labels("loaded").inc()
        self._models.remove_by_labels({"model": model})
        self._models.labels(model, backend, fingerprint).set(1)
        self._generations.labels(model).set(generation)
        self.engine.model_offered(model)

    def checkpoint_refused(self) -> None:
        """Count a checkpoint that could not be read."""
        self._loads.labels("refused").inc()

    def checkpoint_removed(self, model: str) -> None:
        """Remove the series of a model that is no longer on offer."""
        self._models.remove_by_labels({"model": model})
        self._generations.remove_by_labels({"model": model})
        self.engine.model_withdrawn(model)
