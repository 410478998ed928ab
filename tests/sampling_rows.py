"""Rows of logits, their sampling state and one sampled id of each, for tests of sampling."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from model.decoding.backends.base import Backend
from model.decoding.decode_loop import KernelLoop, Outputs, TorchLoop
from model.decoding.sampling import SamplingRows
from model.decoding.sampling_state import SamplingState
from model.parameters import SamplingParams

V = 9
ROWS = 4
LOGITS = [4.0, 1.5, 2.0, 2.0, -1.0, 0.5, 3.0, -3.0, 1.0]
NO_BIAS: Mapping[int, float] = {}


class Scripted(Backend):
    """Backend with fixed logits, whatever it reads."""

    def __init__(self, logits: Tensor) -> None:
        self._logits = logits

    def zero_state(self, rows: int) -> list[Tensor]:
        raise NotImplementedError

    def step(self, ids: Tensor, state: list[Tensor]) -> Tensor:
        return self._logits

    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def logits(self, seen: Tensor) -> Tensor:
        raise NotImplementedError


def params(**fields: object) -> SamplingParams:
    return SamplingParams.checked(**{"temperature": 1.0, "seed": 7, **fields})


def sampling_of(
    chosen: SamplingParams, *, bias: Mapping[int, float] = NO_BIAS, prompt: Sequence[int] = ()
) -> SamplingState:
    """Sampling state of ROWS rows with the same parameters but seeds of their own."""
    sampling = SamplingState(V)
    for row in range(ROWS):
        seeded = chosen.model_copy(update={"seed": (chosen.seed or 0) + row})
        sampling.join([seeded], [bias], [prompt])
    return sampling


def sample(sampling: SamplingState, logits: Tensor) -> Outputs:
    """One step of the decode loop for scripted logits, its log probabilities included.

    By the kernels, and on a copy by torch's operations as on a GPU: both choose alike.
    """
    ids = torch.zeros(len(logits), dtype=torch.int64)
    uses = sampling.uses._replace(logprobs=True)
    copied = SamplingRows(*(column.clone() for column in sampling.rows))
    outputs = KernelLoop(Scripted(logits))(ids, 1, [], sampling.rows, uses)
    by_torch = TorchLoop(Scripted(logits))(ids, 1, [], copied, uses)
    assert torch.equal(outputs.is_finite, by_torch.is_finite)
    finite = outputs.is_finite[0]
    assert torch.equal(outputs.ids[0, finite], by_torch.ids[0, finite])
    torch.testing.assert_close(
        outputs.logprobs[0, finite], by_torch.logprobs[0, finite], atol=1e-13, rtol=1e-13
    )
    for column, other in zip(sampling.rows, copied, strict=True):
        assert column.shape == other.shape
    return outputs


def ids_of(sampling: SamplingState, logits: Tensor) -> list[int]:
    """Ids that each row samples in one step."""
    ids: list[int] = sample(sampling, logits).ids[0].tolist()
    return ids


def rows_of(logits: Sequence[float]) -> Tensor:
    return torch.tensor([logits] * ROWS, dtype=torch.float32)


def softmax(scores: Sequence[float]) -> list[float]:
    highest = max(scores)
    weights = [math.exp(score - highest) for score in scores]
    return [weight / math.fsum(weights) for weight in weights]
