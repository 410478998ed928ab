"""What tests of sampling share: rows of logits, and a sampler of them."""

import math
from collections.abc import Mapping, Sequence

import torch
from hypothesis import HealthCheck, settings
from torch import Tensor

from model.parameters import SamplingParams
from model.sampling import Sampler

# Other work on the machine must not fail a law.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

V = 9
ROWS = 4
LOGITS = [4.0, 1.5, 2.0, 2.0, -1.0, 0.5, 3.0, -3.0, 1.0]
NO_BIAS: Mapping[int, float] = {}


def params(**fields: object) -> SamplingParams:
    return SamplingParams.checked(**{"temperature": 1.0, "seed": 7, **fields})


def sampler_of(
    chosen: SamplingParams, *, bias: Mapping[int, float] = NO_BIAS, prompt: Sequence[int] = ()
) -> Sampler:
    """ROWS rows with the same text but seeds of their own."""
    sampler = Sampler(ROWS, V)
    for row in range(ROWS):
        seeded = chosen.model_copy(update={"seed": (chosen.seed or 0) + row})
        sampler.assign(row, seeded, bias=bias, prompt_ids=prompt)
    return sampler


def rows_of(logits: Sequence[float]) -> Tensor:
    return torch.tensor([logits] * ROWS, dtype=torch.float32)


def softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    return [weight / math.fsum(weights) for weight in weights]
