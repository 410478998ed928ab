"""Factories of Prometheus metrics: plain ones, and ones with a series for each model on offer.

Models come and go. A series is there from the moment at which its model is offered, so that a
rate is 0 and not absent, and is gone with it; what a model that is gone still writes is counted
under one name for all such. So there are never more series than models on offer, and one.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

REMOVED = "(removed)"  # no model's name: those have no parentheses

Series = TypeVar("Series")


class MetricFactory:
    """Factory of counters and histograms in one registry; names begin with `strophe_`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def counter(self, name: str, help_text: str, *labels: str) -> Counter:
        """Make a counter with one series for each combination of its labels' values."""
        return Counter(f"strophe_{name}", help_text, labels, registry=self.registry)

    def counter_by(self, name: str, help_text: str, label: str, values: Sequence[str]) -> Counter:
        """Make a counter with a series for each value of `label`, all shown from the start."""
        counter = self.counter(name, _listed(help_text, values), label)
        for value in values:
            counter.labels(value)
        return counter

    def histogram(
        self, name: str, help_text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        """Make a histogram with these bucket bounds, and labels as for a counter."""
        full_name = f"strophe_{name}"
        return Histogram(full_name, help_text, labels, buckets=buckets, registry=self.registry)


class PerModelMetricFactory:
    """Factory of metrics whose first label is `model`; each is given as a function of the model."""

    def __init__(self, factory: MetricFactory) -> None:
        self._factory = factory
        self._metrics: list[MetricWrapperBase] = []

    def counter(self, name: str, help_text: str) -> Callable[[str], Counter]:
        """Make a counter; returns what gives the series of a model."""
        counter = self._factory.counter(name, help_text, "model")
        self._metrics.append(counter)
        return counter.labels

    def counter_by(
        self, name: str, help_text: str, label: str, values: Sequence[str]
    ) -> Callable[[str], Mapping[str, Counter]]:
        """Make a counter with a series for each value of `label`; returns what gives a model's."""
        counter = self._factory.counter(name, _listed(help_text, values), "model", label)
        self._metrics.append(counter)
        return lambda model: {value: counter.labels(model, value) for value in values}

    def histogram(
        self, name: str, help_text: str, buckets: tuple[float, ...]
    ) -> Callable[[str], Histogram]:
        """Make a histogram; returns what gives the series of a model."""
        histogram = self._factory.histogram(name, help_text, buckets, "model")
        self._metrics.append(histogram)
        return histogram.labels

    def remove(self, model: str) -> None:
        """Remove the series of a model from every metric made here."""
        for metric in self._metrics:
            metric.remove_by_labels({"model": model})


class PerModelSeries(Generic[Series]):
    """Metric series of each model on offer, made when the model is offered.

    Needs no lock: two threads that make the series of one model get the same counters, because
    prometheus_client keeps one child for each combination of label values.
    """

    def __init__(self, factory: PerModelMetricFactory, make: Callable[[str], Series]) -> None:
        self._factory = factory
        self._make = make
        self._made: dict[str, Series] = {}

    def offer(self, model: str) -> None:
        """Show the series of a model from now on, at 0 unless they are shown already."""
        if model not in self._made:
            self._made[model] = self._make(model)

    def withdraw(self, model: str) -> None:
        """Remove the series of a model that is no longer on offer."""
        if self._made.pop(model, None) is not None:
            self._factory.remove(model)

    def of(self, model: str) -> Series:
        """Series of a model on offer; for any other model the one series of all that are gone."""
        if (series := self._made.get(model)) is not None:
            return series
        self.offer(REMOVED)
        return self._made[REMOVED]


def _listed(help_text: str, values: Sequence[str]) -> str:
    return f"{help_text}: {', '.join(values)}"
