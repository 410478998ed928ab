"""All that Prometheus can ask: what is counted as it happens, and gauges read on demand.

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
from service.observability.labelled_metrics import Family
from service.version import installed_version


class Metrics:
    """All metrics of one service; `end_reasons` are why the server may end a connection."""

    def __init__(self, end_reasons: Sequence[str] = ()) -> None:
        self.registry = CollectorRegistry()
        family = Family(self.registry)
        self.engine = EngineMetrics(family)
        self.http = HttpMetrics(family)
        self._loads = family.counter_by(
            "checkpoint_loads",
            "Checkpoint folders read, by result",
            "result",
            ("loaded", "refused"),
        )
        self.connections = Gauge(
            "strophe_connections", "Open connections to the service", registry=self.registry
        )
        self._ended = Family(self.registry).counter_by(
            "connections_ended",
            "Connections that were ended before their request was whole, by reason",
            "reason",
            end_reasons,
        )
        self._models = Gauge(
            "strophe_model_info",
            "1 for each model on offer, with how its steps are computed",
            ["model", "path"],
            registry=self.registry,
        )
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    def watch(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        Gauge(f"strophe_{name}", help_text, registry=self.registry).set_function(read)

    def describe_build(self, *, device: str) -> None:
        """What this service is made of. To be called once."""
        facts = {
            "version": installed_version(),
            "torch": version("torch"),
            "python": platform.python_version(),
            "device": device,
        }
        Info("strophe_build", "What this service is made of", registry=self.registry).info(facts)

    def exposition(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)

    def connection_ended(self, reason: str) -> None:
        """A client was too slow, sent too much, or had to give way."""
        self._ended.labels(reason).inc()

    def checkpoint_loaded(self, model: str, path: str) -> None:
        """A checkpoint was taken into service, in the place of one of its name if there was one."""
        self._loads.labels("loaded").inc()
        self._models.remove_by_labels({"model": model})
        self._models.labels(model, path).set(1)
        self.engine.model_offered(model)

    def checkpoint_refused(self) -> None:
        """A checkpoint could not be read."""
        self._loads.labels("refused").inc()

    def checkpoint_removed(self, model: str) -> None:
        """A model is no longer on offer."""
        self._models.remove_by_labels({"model": model})
        self.engine.model_withdrawn(model)
