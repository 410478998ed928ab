"""Dynamic evaluation: cross-entropy of a text while the weights go on learning from it.

Krause, Kahembwe, Murray & Renals 2018. The text is read segment by segment, the state carried. A
segment is scored first and only then learned from, by one step; each step ends with a share of
the way back to the weights as they were. As there, a weight's gradient is divided by the root of
its mean square, so that a weight moves far where the text pulls it one way, whatever its scale.
There the mean is over the training text; here it is over the segments read so far, which needs
no other text and was no worse where both were tried; plain descent was.

What is learned so is the text's own: its names, refrains, spelling. That is another question
than what the carried state alone foretells, and its figure stands beside that one, not in its
place. A copy of the network learns; the network itself stays as it was. Knows nothing of files.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from model.network import Network
from model.scoring import Score
from training.data.corpus import Ids
from training.evaluation.cross_entropy import TokenIds, evaluation_mode

CLIP = 1.0  # largest norm of a gradient: one odd segment must not undo what was learned
EPSILON = 1e-5  # added to a root mean square: a weight that was hardly ever used moves little


class DynamicOptions(BaseModel):
    """Options of dynamic evaluation: learning rate, decay and segment length."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    learning_rate: float = Field(
        3e-4, ge=0, le=1, description="how far a step moves a weight; 0 learns nothing"
    )
    decay: float = Field(
        0.003, ge=0, le=1, description="share of the way back to the old weights after each step"
    )
    segment: int = Field(50, ge=1, le=65_536, description="tokens between two steps")


def dynamic_score(
    network: Network, ids: Ids | TokenIds, characters: int, options: DynamicOptions
) -> Score:
    """Score all `ids` but the first by dynamic evaluation, as one text of this many characters."""
    nats = sum(float(losses.double().sum()) for losses in adapting(network, ids, options))
    return Score(nats=nats, characters=characters)


def adapting(network: Network, ids: Ids | TokenIds, options: DynamicOptions) -> Iterator[Tensor]:
    """Yield the surprisals (T,), in nats, of each segment, computed before it is learned from."""
    learner = deepcopy(network).requires_grad_()
    pairs = zip(learner.parameters(), network.parameters(), strict=True)
    adapted = [_Adapted.of(weight, origin) for weight, origin in pairs]
    state = learner.zero_state(1)
    starts = range(0, len(ids) - 1, options.segment)
    with evaluation_mode(learner):
        for number, start in enumerate(starts, start=1):
            window = ids[start : start + options.segment + 1].astype(np.int64)
            tokens = torch.from_numpy(window).to(network.device)
            logits, state = learner(tokens[None, :-1], state)
            losses = functional.cross_entropy(logits[0].float(), tokens[1:], reduction="none")
            yield losses.detach().cpu()
            state = state.detach()
            _learn(adapted, losses.mean(), number, options)


@dataclass(frozen=True, slots=True, eq=False)
class _Adapted:
    """Weight that learns, with its original value and the sum of its squared gradients."""

    weight: Tensor
    origin: Tensor
    squares: Tensor

    @classmethod
    def of(cls, weight: Tensor, origin: Tensor) -> "_Adapted":
        return cls(weight, origin.detach(), torch.zeros_like(weight))


def _learn(adapted: Sequence[_Adapted], loss: Tensor, number: int, options: DynamicOptions) -> None:
    """Update the weights after segment `number`, counted from 1."""
    gradients = torch.autograd.grad(loss, [each.weight for each in adapted])
    share = CLIP / max(CLIP, float(nn.utils.get_total_norm(gradients)))
    with torch.no_grad():
        for each, gradient in zip(adapted, gradients, strict=True):
            gradient.mul_(share)
            each.squares.addcmul_(gradient, gradient)
            scale = each.squares.div(number).sqrt_().add_(EPSILON)
            each.weight.addcdiv_(gradient, scale, value=-options.learning_rate)
            each.weight.lerp_(each.origin, options.decay)
