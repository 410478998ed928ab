"""Weighted draws: resampling of particles and choices by logarithmic weights, the same everywhere.

Sums run in one order and exponentials are the kernels' own, so that a seed draws the same on every
machine. Knows nothing of what is drawn.
"""

import hashlib

import numpy as np

from verse.composer.kernels.draws import draw, number_of


def derived_seed(seed: int, *labels: int | str) -> int:
    """Seed of a part of a poem, such as a line: of its own, and the same on every machine."""
    text = "/".join(map(str, (seed, *labels)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") >> 1


def random_number(seed: int, place: int) -> float:
    """Random number in [0, 1) of (seed, place)."""
    return number_of(seed, place)


def drawn(weights: "list[float]", count: int, seed: int) -> list[int]:
    """At most `count` distinct places, drawn by logarithmic weights."""
    chosen = np.zeros(count, np.int64)
    if not weights:
        return []
    count = draw(np.array(weights, np.float64), seed, chosen)
    places: list[int] = chosen[:count].tolist()
    return places
