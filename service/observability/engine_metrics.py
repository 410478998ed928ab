"""What the engine counts and times. Knows nothing of HTTP.

What differs from model to model has a series for each. Slots and queue are shared by all models,
so the time in the queue and the gap between two pieces have one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from service.engine.request import Outcome
from service.observability.labelled_metrics import Family, ModelFamily, SeriesByModel

_WAIT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_DURATION_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_STEP_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1)
_ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """Those of one model."""

    fed: Counter
    cached: Counter
    lookups: Mapping[str, Counter]
    tokens: Counter
    requests: Mapping[str, Counter]
    first_piece: Histogram
    duration: Histogram
    rows: Histogram
    step: Histogram


class EngineMetrics:
    """Implements `service.engine.observer.Observer`."""

    def __init__(self, family: Family) -> None:
        self._queue_time = family.histogram(
            "queue_time_seconds", "From submission to having slots", _WAIT_BUCKETS
        )
        self._gap = family.histogram(
            "piece_gap_seconds", "Between two pieces of a stream", _WAIT_BUCKETS
        )
        self._by_model = _series_by_model(ModelFamily(family))

    def model_offered(self, model: str) -> None:
        """Requests for it may come."""
        self._by_model.offer(model)

    def model_withdrawn(self, model: str) -> None:
        """No more requests for it can come; those that run go on."""
        self._by_model.withdraw(model)

    def began(self, seconds: float) -> None:
        """A request got its slots."""
        self._queue_time.observe(seconds)

    def prompted(self, model: str, *, fed: int, cached: int) -> None:
        """A prompt was read."""
        series = self._by_model.of(model)
        series.fed.inc(fed)
        series.cached.inc(cached)
        if fed + cached > 0:  # the empty prompt has nothing to look up
            series.lookups["hit" if cached else "miss"].inc()

    def stepped(self, model: str, *, rows: int, steps: int, tokens: int, seconds: float) -> None:
        """`rows` texts took `steps` steps together."""
        series = self._by_model.of(model)
        series.tokens.inc(tokens)
        series.rows.observe(rows)
        series.step.observe(seconds / steps)

    def began_writing(self, model: str, seconds: float) -> None:
        """A request's first piece is there."""
        self._by_model.of(model).first_piece.observe(seconds)

    def handed_over(self, gap: float) -> None:
        """A reader took a piece, so long after the one before it."""
        self._gap.observe(gap)

    def ended(self, model: str, outcome: Outcome, seconds: float) -> None:
        """A request has ended."""
        series = self._by_model.of(model)
        series.requests[outcome].inc()
        series.duration.observe(seconds)

    def rejected(self, model: str) -> None:
        """A request was refused because the service is full or stopping."""
        self._by_model.of(model).requests["rejected"].inc()


def _series_by_model(family: ModelFamily) -> SeriesByModel[_Series]:
    fed = family.counter("prompt_tokens", "Tokens of prompts fed")
    cached = family.counter("prompt_tokens_cached", "Tokens of prompts that the prefix cache knew")
    lookups = family.counter_by(
        "prefix_cache_lookups",
        "Prompts by whether the prefix cache knew them or their beginning",
        "result",
        ("hit", "miss"),
    )
    tokens = family.counter("generated_tokens", "Tokens written")
    requests = family.counter_by(
        "requests",
        "Requests by how they ended",
        "outcome",
        ("stop", "length", "cancelled", "error", "rejected"),
    )
    first_piece = family.histogram(
        "time_to_first_token_seconds", "From submission to the first token", _WAIT_BUCKETS
    )
    duration = family.histogram(
        "request_duration_seconds", "From submission to the end", _DURATION_BUCKETS
    )
    rows = family.histogram("batch_rows", "Texts that one step wrote on", _ROW_BUCKETS)
    step = family.histogram("step_seconds", "One step of all rows of a model", _STEP_BUCKETS)
    return SeriesByModel(
        family,
        lambda model: _Series(
            fed=fed(model),
            cached=cached(model),
            lookups=lookups(model),
            tokens=tokens(model),
            requests=requests(model),
            first_piece=first_piece(model),
            duration=duration(model),
            rows=rows(model),
            step=step(model),
        ),
    )
