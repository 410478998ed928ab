"""What a training step makes smaller: the surprisal of a window, and the penalties on the way.

A module of its own, so that torch's data parallelism can wrap it. Knows nothing of optimizers.
"""

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional

from model.network import Network, State
from training.optimization.regularization import Regularization


class Objective(nn.Module):
    """A network together with what disturbs it in training."""

    def __init__(self, network: Network, regularization: Regularization) -> None:
        super().__init__()
        self.network = network
        self.regularization = regularization

    def forward(self, inputs: Tensor, targets: Tensor, state: State) -> "Losses":
        """The losses of a window; inputs and targets are (B, T) int64."""
        noise = self.regularization
        top, state = self.network.read(inputs, state, noise)
        seen = noise.output(top)
        logits = self.network.output(seen).float()
        surprisal = functional.cross_entropy(logits.flatten(0, 1), targets.t().flatten())
        return Losses(surprisal + noise.penalty(top, seen), surprisal.detach(), state)


class Losses(NamedTuple):
    """What a window costs."""

    loss: Tensor  # what is made smaller
    surprisal: Tensor  # nats per token, without the penalties
    state: State  # after the window
