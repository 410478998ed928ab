"""Prometheus metrics of the engine: counts and times of requests and steps, by model.

Knows nothing of HTTP.

What differs from model to model has a series for each. Slots and queue are shared by all models,
so the time in the queue and the gap between two pieces have one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Counter, Histogram

from service.engine.request import Outcome
from service.observability.labelled_metrics import (
    MetricFactory,
    PerModelMetricFactory,
    PerModelSeries,
)

_WAIT_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_DURATION_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
_STEP_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 1)
_ROW_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """Metric series of one model."""

    fed: Counter
    cached: Counter
    lookups: Mapping[str, Counter]
    tokens: Counter
    requests: Mapping[str, Counter]
    first_piece: Histogram
    duration: Histogram
    rows: Histogram
    step: Histogram


@dataclass(frozen=True, slots=True, kw_only=True)
class _PoemSeries:
    """Metric series of the poems of one model."""

    lines: Counter
    step: Histogram


class EngineMetrics:
    """Recorder of what the engine does; implements `service.engine.request.EngineObserver`."""

    def __init__(self, factory: MetricFactory) -> None:
        self._queue_time = factory.histogram(
            "queue_time_seconds", "From submission to having slots", _WAIT_BUCKETS
        )
        self._gap = factory.histogram(
            "piece_gap_seconds", "Between two pieces of a stream", _WAIT_BUCKETS
        )
        self._by_model = _per_model_series(PerModelMetricFactory(factory))
        self._poems_by_model = _poem_series(PerModelMetricFactory(factory))

    def model_offered(self, model: str) -> None:
        """Show the series of a model that requests may name from now on."""
        self._by_model.offer(model)
        self._poems_by_model.offer(model)

    def model_withdrawn(self, model: str) -> None:
        """Remove the series of a model that no more requests can name; those that run go on."""
        self._by_model.withdraw(model)
        self._poems_by_model.withdraw(model)

    def admitted(self, seconds: float) -> None:
        """Record that a request got its slots, `seconds` after its submission."""
        self._queue_time.observe(seconds)

    def prompt_fed(self, model: str, *, fed: int, cached: int) -> None:
        """Record a prompt: `fed` tokens went through the network, `cached` were known."""
        series = self._by_model.of(model)
        series.fed.inc(fed)
        series.cached.inc(cached)
        if fed + cached > 0:  # the empty prompt has nothing to look up
            series.lookups["hit" if cached else "miss"].inc()

    def stepped(self, model: str, *, rows: int, steps: int, tokens: int, seconds: float) -> None:
        """Record one call: `rows` texts took `steps` steps, `tokens` tokens were wanted of it."""
        series = self._by_model.of(model)
        series.tokens.inc(tokens)
        series.rows.observe(rows)
        series.step.observe(seconds / steps)

    def composed(self, model: str, *, lines: int, characters: int, seconds: float) -> None:
        """Record one step of a poem, which gave so many lines of so many characters."""
        series = self._poems_by_model.of(model)
        series.lines.inc(lines)
        series.step.observe(seconds)
        self._by_model.of(model).tokens.inc(characters)

    def first_piece(self, model: str, seconds: float) -> None:
        """Record a request's first piece of text, `seconds` after its submission."""
        self._by_model.of(model).first_piece.observe(seconds)

    def deltas_taken(self, gap: float) -> None:
        """Record that a reader took deltas, `gap` seconds after those before them."""
        self._gap.observe(gap)

    def ended(self, model: str, outcome: Outcome, seconds: float) -> None:
        """Record the end of a request, `seconds` after its submission."""
        series = self._by_model.of(model)
        series.requests[outcome].inc()
        series.duration.observe(seconds)

    def rejected(self, model: str) -> None:
        """Count a request that was refused because the service is full or stopping."""
        self._by_model.of(model).requests["rejected"].inc()


def _per_model_series(factory: PerModelMetricFactory) -> PerModelSeries[_Series]:
    fed = factory.counter("prompt_tokens", "Tokens of prompts fed")
    cached = factory.counter("prompt_tokens_cached", "Tokens of prompts that the prefix cache knew")
    lookups = factory.counter_by(
        "prefix_cache_lookups",
        "Prompts by whether the prefix cache knew them or their beginning",
        "result",
        ("hit", "miss"),
    )
    tokens = factory.counter("generated_tokens", "Tokens written")
    requests = factory.counter_by(
        "requests",
        "Requests by how they ended",
        "outcome",
        ("stop", "length", "cancelled", "error", "rejected"),
    )
    first_piece = factory.histogram(
        "time_to_first_token_seconds", "From submission to the first token", _WAIT_BUCKETS
    )
    duration = factory.histogram(
        "request_duration_seconds", "From submission to the end", _DURATION_BUCKETS
    )
    rows = factory.histogram("batch_rows", "Texts that one step wrote on", _ROW_BUCKETS)
    step = factory.histogram("step_seconds", "One step of all rows of a model", _STEP_BUCKETS)
    return PerModelSeries(
        factory,
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


def _poem_series(factory: PerModelMetricFactory) -> PerModelSeries[_PoemSeries]:
    lines = factory.counter("poem_lines", "Lines of poems in forms")
    step = factory.histogram(
        "poem_step_seconds", "One step of a poem in a form, of all its rows", _STEP_BUCKETS
    )
    return PerModelSeries(factory, lambda model: _PoemSeries(lines=lines(model), step=step(model)))
