"""What tests of sampling share: rows of logits, a sampler of them, and one choice of each."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from model.decoding.backends.base import DecodePath
from model.decoding.decode_loop import Outputs, Program
from model.decoding.sampling_state import Sampler
from model.parameters import SamplingParams

V = 9
ROWS = 4
LOGITS = [4.0, 1.5, 2.0, 2.0, -1.0, 0.5, 3.0, -3.0, 1.0]
NO_BIAS: Mapping[int, float] = {}


class Scripted(DecodePath):
    """Gives the logits that it was made with, whatever it reads."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self._logits = logits

    def forward(self, ids: Tensor, state: list[Tensor]) -> Tensor:
        return self._logits


def params(**fields: object) -> SamplingParams:
    return SamplingParams.checked(**{"temperature": 1.0, "seed": 7, **fields})


def sampler_of(
    chosen: SamplingParams, *, bias: Mapping[int, float] = NO_BIAS, prompt: Sequence[int] = ()
) -> Sampler:
    """ROWS rows with the same text but seeds of their own."""
    sampler = Sampler(V)
    for row in range(ROWS):
        seeded = chosen.model_copy(update={"seed": (chosen.seed or 0) + row})
        sampler.join([seeded], [bias], [prompt])
    return sampler


def sample(sampler: Sampler, logits: Tensor) -> Outputs:
    """One step of the program that decoding runs, its log probabilities included."""
    ids = torch.zeros(len(logits), dtype=torch.int64)
    uses = sampler.uses._replace(logprobs=True)
    outputs: Outputs = Program(Scripted(logits))(ids, 1, [], sampler.rows, uses)
    return outputs


def ids_of(sampler: Sampler, logits: Tensor) -> list[int]:
    """What each row chooses."""
    ids: list[int] = sample(sampler, logits).ids[0].tolist()
    return ids


def rows_of(logits: Sequence[float]) -> Tensor:
    return torch.tensor([logits] * ROWS, dtype=torch.float32)


def softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    return [weight / math.fsum(weights) for weight in weights]
