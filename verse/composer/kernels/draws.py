"""Kernels of weighted draws: resampling, distinct places by weight, one random number.

Weights are logarithms. Sums run in one order. Knows nothing of what is drawn.
"""

import numpy as np

from model.decoding.kernels.compiling import kernel, part
from model.decoding.kernels.numerics import exp, log
from model.decoding.kernels.row_sampling import uniform
from verse.composer.kernels.arrays import Floats, Places

NEVER = -1e300  # the weight of what is not drawn


@kernel
def number_of(seed: int, place: int) -> float:
    """Random number in [0, 1) of (seed, place)."""
    return uniform(seed, place)


@part
def shares(weights: Floats, result: Floats) -> float:
    """Write e^(weight - highest) of each; their highest weight."""
    highest = NEVER
    for weight in weights:
        highest = max(highest, weight)
    for i in range(len(weights)):
        result[i] = exp(weights[i] - highest) if weights[i] > NEVER else 0.0
    return highest


@kernel
def resample(weights: Floats, number: float, rows: Places) -> float:
    """Systematic resampling (Kitagawa 1996) where the effective number is below half.

    Writes which row each becomes, by a random number in [0, 1), and returns the weight that all
    have then; or NEVER, where the rows stay as they are.
    """
    count = len(weights)
    share = np.empty(count, np.float64)
    highest = shares(weights, share)
    total, squares = 0.0, 0.0
    for each in share:
        total += each
        squares += each * each
    if total * total >= 0.5 * count * squares:
        return NEVER
    row, running = 0, share[0]
    for i in range(count):
        while running < (i + number) / count * total and row + 1 < count:
            row += 1
            running += share[row]
        rows[i] = row
    return highest + log(total / count)


@kernel
def draw(weights: Floats, seed: int, chosen: Places) -> int:
    """Draw distinct places by weight, one after the other, as many as there is room for; how many.

    Fewer where fewer have a weight above NEVER.
    """
    share = np.empty(len(weights), np.float64)
    shares(weights, share)
    for count in range(len(chosen)):
        total = 0.0
        for each in share:
            total += each
        if total <= 0.0:
            return count
        target, running, place = uniform(seed, count) * total, 0.0, -1
        for i in range(len(share)):
            if share[i] > 0.0 and (place < 0 or running <= target):
                place = i
                running += share[i]
        chosen[count] = place
        share[place] = 0.0
    return len(chosen)
