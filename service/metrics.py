"""What Prometheus can ask: counters that the engine and the registry feed, gauges read on demand.

One registry of its own per service, so that two services in one process (tests) do not mix.
"""

from collections.abc import Callable, Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from service.connection import REASONS, Reason
from service.engine.request import Outcome

_WAIT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_DURATION_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_STEP_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1)
_ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class _Family:
    """Makes metrics of one registry; names begin with `strophe_`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str, help_text: str) -> Counter:
        return Counter(f"strophe_{name}", help_text, registry=self._registry)

    def counter_by(self, name: str, help_text: str, label: str, values: Sequence[str]) -> Counter:
        """A counter for each value, all there from the start so that a rate is 0 and not absent."""
        listed = f"{help_text}: {', '.join(values)}"
        counter = Counter(f"strophe_{name}", listed, [label], registry=self._registry)
        for value in values:
            counter.labels(value)
        return counter

    def histogram(self, name: str, help_text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"strophe_{name}", help_text, buckets=buckets, registry=self._registry)


class EngineMetrics:
    """Implements `service.engine.observer.Observer`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        make = _Family(registry)
        self._fed = make.counter("prompt_tokens", "Tokens of prompts fed")
        self._cached = make.counter(
            "prompt_tokens_cached", "Tokens of prompts that the prefix cache knew"
        )
        self._lookups = make.counter_by(
            "prefix_cache_lookups",
            "Prompts by whether the prefix cache knew them or their beginning",
            "result",
            ("hit", "miss"),
        )
        self._tokens = make.counter("generated_tokens", "Tokens written")
        self._requests = make.counter_by(
            "requests",
            "Requests by how they ended",
            "outcome",
            ("stop", "length", "cancelled", "error", "rejected"),
        )
        self._queue_time = make.histogram(
            "queue_time_seconds", "From submission to having slots", _WAIT_BUCKETS
        )
        self._first_piece = make.histogram(
            "time_to_first_token_seconds", "From submission to the first token", _WAIT_BUCKETS
        )
        self._gap = make.histogram(
            "piece_gap_seconds", "Between two pieces of a stream", _WAIT_BUCKETS
        )
        self._duration = make.histogram(
            "request_duration_seconds", "From submission to the end", _DURATION_BUCKETS
        )
        self._rows = make.histogram("batch_rows", "Texts that one step wrote on", _ROW_BUCKETS)
        self._step = make.histogram(
            "step_seconds", "One step of all rows of a model", _STEP_BUCKETS
        )

    def began(self, seconds: float) -> None:
        """A request got its slots."""
        self._queue_time.observe(seconds)

    def prompted(self, *, fed: int, cached: int) -> None:
        """A prompt was read."""
        self._fed.inc(fed)
        self._cached.inc(cached)
        if fed + cached > 0:  # the empty prompt has nothing to look up
            self._lookups.labels("hit" if cached else "miss").inc()

    def stepped(self, *, rows: int, steps: int, tokens: int, seconds: float) -> None:
        """`rows` texts took `steps` steps together."""
        self._tokens.inc(tokens)
        self._rows.observe(rows)
        self._step.observe(seconds / steps)

    def began_writing(self, seconds: float) -> None:
        """A request's first piece is there."""
        self._first_piece.observe(seconds)

    def handed_over(self, gap: float) -> None:
        """A reader took a piece, so long after the one before it."""
        self._gap.observe(gap)

    def ended(self, outcome: Outcome, seconds: float) -> None:
        """A request has ended."""
        self._requests.labels(outcome).inc()
        self._duration.observe(seconds)

    def rejected(self) -> None:
        """A request was refused because the service is full or stopping."""
        self._requests.labels("rejected").inc()


class Metrics:
    """All metrics of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.engine = EngineMetrics(self.registry)
        self._loads = _Family(self.registry).counter_by(
            "checkpoint_loads",
            "Checkpoint folders read, by result",
            "result",
            ("loaded", "refused"),
        )
        self._ended = _Family(self.registry).counter_by(
            "connections_ended",
            "Connections that were ended before their request was whole, by reason",
            "reason",
            REASONS,
        )
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    def watch(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        Gauge(f"strophe_{name}", help_text, registry=self.registry).set_function(read)

    def exposition(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)

    def connection_ended(self, reason: Reason) -> None:
        """A client was too slow, sent too much, or had to give way."""
        self._ended.labels(reason).inc()

    def checkpoint_loaded(self) -> None:
        """A checkpoint was taken into service."""
        self._loads.labels("loaded").inc()

    def checkpoint_refused(self) -> None:
        """A checkpoint could not be read."""
        self._loads.labels("refused").inc()
