"""What Prometheus can ask: counters that the engine and the registry feed, gauges read on demand.

One registry of its own per service, so that two services in one process (tests) do not mix.
Implements `service.engine.engine.Observer`.
"""

from collections.abc import Callable

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

from service.engine.request import Outcome

_FIRST_PIECE_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_DURATION_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """All metrics; names begin with `strophe_`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._prompt_tokens = self._counter("prompt_tokens", "Tokens of prompts fed")
        self._tokens = self._counter("generated_tokens", "Tokens written")
        self._requests = Counter(
            "strophe_requests",
            "Requests by how they ended: stop, length, cancelled, error, rejected",
            ["outcome"],
            registry=self.registry,
        )
        for outcome in ("stop", "length", "cancelled", "error", "rejected"):
            self._requests.labels(outcome)  # so that a rate is 0 and not absent
        self._checkpoints = Counter(
            "strophe_checkpoint_loads",
            "Checkpoint folders read, by result: loaded, refused",
            ["result"],
            registry=self.registry,
        )
        for result in ("loaded", "refused"):
            self._checkpoints.labels(result)
        self._first_piece = self._histogram(
            "time_to_first_token_seconds",
            "From submission to the first token",
            _FIRST_PIECE_BUCKETS,
        )
        self._duration = self._histogram(
            "request_duration_seconds", "From submission to the end", _DURATION_BUCKETS
        )
        self._rows = self._histogram("batch_rows", "Texts that one step wrote on", _ROW_BUCKETS)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)

    def watch(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        Gauge(f"strophe_{name}", help_text, registry=self.registry).set_function(read)

    def exposition(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)

    def prompted(self, tokens: int) -> None:
        """A prompt was fed."""
        self._prompt_tokens.inc(tokens)

    def stepped(self, rows: int) -> None:
        """Each of `rows` texts got one token."""
        self._tokens.inc(rows)
        self._rows.observe(rows)

    def began_writing(self, seconds: float) -> None:
        """A request's first piece is there."""
        self._first_piece.observe(seconds)

    def ended(self, outcome: Outcome, seconds: float) -> None:
        """A request has ended."""
        self._requests.labels(outcome).inc()
        self._duration.observe(seconds)

    def rejected(self) -> None:
        """A request was refused because the service is full or stopping."""
        self._requests.labels("rejected").inc()

    def checkpoint_loaded(self) -> None:
        """A checkpoint was taken into service."""
        self._checkpoints.labels("loaded").inc()

    def checkpoint_refused(self) -> None:
        """A checkpoint could not be read."""
        self._checkpoints.labels("refused").inc()

    def _counter(self, name: str, help_text: str) -> Counter:
        return Counter(f"strophe_{name}", help_text, registry=self.registry)

    def _histogram(self, name: str, help_text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"strophe_{name}", help_text, buckets=buckets, registry=self.registry)
