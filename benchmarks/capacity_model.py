"""Capacity model: readers of a service as a closed queueing network, fitted to a load test.

A reader asks for a text, reads it, and asks again. Between two requests nobody keeps the service
busy (delay station); with n texts on it a replica writes r(n) characters a second, shared evenly
(processor sharing). r(n) is measured where n readers are never away: the replica becomes a
flow-equivalent service centre (Chandy, Herzog & Woo 1975). Past `slots` texts the others wait. Such
a network has a product form (Baskett, Chandy, Muntz & Palacios 1975): with N_k readers of kind k,
who take D_k characters every Z_k seconds,

    p(n) = p(0) * n! * [x^n] prod_k (1 + D_k / Z_k * x)^N_k / (r(1) * ... * r(n))

is the share of the time with n texts on it. It hangs on the means of D_k and Z_k alone, not on how
they are spread. Measures nothing.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderKind:
    """Kind of reader: its share of all, and the means of what one asks for in a round."""

    name: str
    share: float
    characters: float
    requests: float
    away_s: float  # of a round, in which nothing of it is on the service


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstCharacter:
    """Seconds to the first character of a request that need not wait for a slot."""

    alone_s: float
    text_s: float  # for each text that it finds


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Prediction for so many readers of one replica."""

    readers: int
    characters_per_second: float
    requests_per_second: float
    utilisation: float  # of the core: near 1 long before the replica is full, as steps can grow
    load: float  # of what it writes with all slots taken
    texts: float  # at once, in the mean
    texts_p95: int
    first_p95_s: float | None


class ClosedNetwork:
    """Closed network of readers and one replica.

    `speeds` are characters a second by the number of texts at once, rising with it. Raises
    ValueError where there are none.
    """

    def __init__(
        self, kinds: Sequence[ReaderKind], speeds: Mapping[int, float], slots: int
    ) -> None:
        if not speeds:
            raise ValueError("a replica needs speeds, by the number of texts at once")
        self._kinds, self._slots = kinds, slots
        self._measured = sorted(speeds)
        # Between measured numbers the seconds of a step, one character a text, lie on lines.
        self._steps_s = [n / speeds[n] for n in self._measured]

    def predict(self, readers: int, first: FirstCharacter | None = None) -> Prediction:
        """Predict throughput, utilisation and, with `first`, p95 time to the first character."""
        shares = self.shares(readers)
        numbers = np.arange(len(shares))
        rates = self._rates(len(shares) - 1)
        speed = float(shares[1:] @ rates)
        return Prediction(
            readers=readers,
            characters_per_second=speed,
            requests_per_second=speed / self._characters_a_request(),
            utilisation=1 - float(shares[0]),
            load=speed / float(self._rates(self._slots)[-1]),
            texts=float(shares @ numbers),
            texts_p95=quantile_of(shares, 0.95),
            first_p95_s=self._first_s(readers, 0.95, first) if first is not None else None,
        )

    def shares(self, readers: int) -> Floats:
        """Shares of the time with 0, 1, ... `readers` texts on the replica."""
        weights = np.zeros(1)  # logarithms of the coefficients of the product of polynomials
        for kind, number in zip(self._kinds, self._numbers(readers), strict=True):
            ratio = math.log(kind.characters / kind.away_s)
            own = [_log_binomial(number, n) + n * ratio for n in range(number + 1)]
            weights = _log_convolution(weights, np.array(own))
        numbers = np.arange(1, len(weights))
        weights[1:] += np.cumsum(np.log(numbers) - np.log(self._rates(len(numbers))))
        shares: Floats = np.exp(weights - weights.max())
        shares /= shares.sum()
        return shares

    def first_character(self, readers: int, p50_s: float, p95_s: float) -> FirstCharacter:
        """Fit the time to the first character to what so many readers have seen."""
        found = self.shares(readers - 1)  # an arrival finds what the others leave (arrival theorem)
        middle, many = quantile_of(found, 0.5), quantile_of(found, 0.95)
        text_s = max(0.0, (p95_s - p50_s) / max(1, many - middle))
        return FirstCharacter(alone_s=p95_s - text_s * many, text_s=text_s)

    def _first_s(self, readers: int, share: float, first: FirstCharacter) -> float:
        found = quantile_of(self.shares(readers - 1), share)
        waiting = max(0, found + 1 - self._slots)
        departures = float(self._rates(self._slots)[-1]) / self._characters_a_request()
        on_it = min(found, self._slots)
        return first.alone_s + first.text_s * on_it + waiting / departures

    def _rates(self, texts: int) -> Floats:
        """Characters a second with 1, 2, ... `texts` texts; past the slots no more."""
        written = np.minimum(np.arange(1, texts + 1), min(self._slots, self._measured[-1]))
        rates: Floats = written / np.interp(written, self._measured, self._steps_s)
        return rates

    def _characters_a_request(self) -> float:
        """Mean over the requests of all kinds, each as often as its readers come round."""
        rounds = [kind.share / kind.away_s for kind in self._kinds]
        characters = sum(r * k.characters for r, k in zip(rounds, self._kinds, strict=True))
        requests = sum(r * k.requests for r, k in zip(rounds, self._kinds, strict=True))
        return characters / requests

    def _numbers(self, readers: int) -> list[int]:
        """Readers of each kind, whole numbers that add up."""
        ends = itertools.accumulate(kind.share for kind in self._kinds)
        marks = [0, *(round(readers * end) for end in ends)]
        return [after - before for before, after in itertools.pairwise(marks)]


def most_readers(network: ClosedNetwork, load: float) -> int:
    """Most readers whose load of a replica is no more than `load`; by doubling and halving.

    Raises ValueError where one reader alone is more, or where no number of readers is.
    """
    least = network.predict(1).load
    if not least <= load < 1:
        raise ValueError(f"the load of a replica must be {least:.2g}, one reader's, to below 1")
    low, high = 1, 2
    while network.predict(high).load <= load:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        if network.predict(middle).load <= load:
            low = middle
        else:
            high = middle
    return low


def quantile_of(shares: Floats, share: float) -> int:
    """Quantile of a distribution over 0, 1, 2, ..."""
    return int(np.searchsorted(np.cumsum(shares), share))


def _log_binomial(number: int, chosen: int) -> float:
    return math.lgamma(number + 1) - math.lgamma(chosen + 1) - math.lgamma(number - chosen + 1)


def _log_convolution(ours: Floats, theirs: Floats) -> Floats:
    """Logarithms of the coefficients of a product of two polynomials."""
    sums = np.full(len(ours) + len(theirs) - 1, -np.inf)
    for place, value in enumerate(ours):
        part = sums[place : place + len(theirs)]
        part[:] = np.logaddexp(part, value + theirs)
    return sums
