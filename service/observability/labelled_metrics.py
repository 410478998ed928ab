"""Metrics of one registry, and those with a series for each model.

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


class Family:
    """Makes metrics of one registry; names begin with `strophe_`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry

    def counter(self, name: str, help_text: str, *labels: str) -> Counter:
        """A counter, which has one series for each combination of its labels' values."""
        return Counter(f"strophe_{name}", help_text, labels, registry=self.registry)

    def counter_by(self, name: str, help_text: str, label: str, values: Sequence[str]) -> Counter:
        """A counter for each value, all there from the start."""
        counter = self.counter(name, _listed(help_text, values), label)
        for value in values:
            counter.labels(value)
        return counter

    def histogram(
        self, name: str, help_text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        """A histogram, with labels as for a counter."""
        full_name = f"strophe_{name}"
        return Histogram(full_name, help_text, labels, buckets=buckets, registry=self.registry)


class ModelFamily:
    """Makes metrics whose first label is `model`, and one model's series of them."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._metrics: list[MetricWrapperBase] = []

    def counter(self, name: str, help_text: str) -> Callable[[str], Counter]:
        """A counter: what gives that of a model."""
        counter = self._family.counter(name, help_text, "model")
        self._metrics.append(counter)
        return counter.labels

    def counter_by(
        self, name: str, help_text: str, label: str, values: Sequence[str]
    ) -> Callable[[str], Mapping[str, Counter]]:
        """A counter for each value: what gives those of a model."""
        counter = self._family.counter(name, _listed(help_text, values), "model", label)
        self._metrics.append(counter)
        return lambda model: {value: counter.labels(model, value) for value in values}

    def histogram(
        self, name: str, help_text: str, buckets: tuple[float, ...]
    ) -> Callable[[str], Histogram]:
        """A histogram: what gives that of a model."""
        histogram = self._family.histogram(name, help_text, buckets, "model")
        self._metrics.append(histogram)
        return histogram.labels

    def remove(self, model: str) -> None:
        """Show the series of a model no more."""
        for metric in self._metrics:
            metric.remove_by_labels({"model": model})


class SeriesByModel(Generic[Series]):
    """The series of each model on offer, made when it is offered. Readers need no lock."""

    def __init__(self, family: ModelFamily, make: Callable[[str], Series]) -> None:
        self._family = family
        self._make = make
        self._made: dict[str, Series] = {}

    def offer(self, model: str) -> None:
        """Show its series from now on, at 0 unless they are shown already."""
        if model not in self._made:
            self._made[model] = self._make(model)

    def withdraw(self, model: str) -> None:
        """Show them no more."""
        if self._made.pop(model, None) is not None:
            self._family.remove(model)

    def of(self, model: str) -> Series:
        """The series of a model, or those of all that are gone."""
        if (series := self._made.get(model)) is not None:
            return series
        self.offer(REMOVED)
        return self._made[REMOVED]


def _listed(help_text: str, values: Sequence[str]) -> str:
    return f"{help_text}: {', '.join(values)}"
