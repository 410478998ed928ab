"""Optimizer (AdamW), learning-rate schedule (warm-up, cosine, step, plateau), training budget.

Pure functions but for torch's optimizer. Knows nothing of data and files.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from model.network import Network
from training.train_config import TrainConfig


def build_optimizer(network: Network, config: TrainConfig) -> torch.optim.AdamW:
    """Build AdamW (Loshchilov & Hutter 2019); only matrices decay, embedding and biases do not.

    With beta1 = 0 the first moment is the gradient itself: RMSProp with Adam's bias correction,
    as in Melis, Dyer & Blunsom 2018.
    """
    decaying: list[Tensor] = []
    others: list[Tensor] = []
    for name, weight in network.named_parameters():
        is_matrix = weight.dim() == 2 and not name.startswith("embedding")
        (decaying if is_matrix else others).append(weight)
    groups = [
        {"params": decaying, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    betas = (config.beta1, config.beta2)
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=betas, fused=True)


def learning_rate(config: TrainConfig, progress: float, drops: int = 0) -> float:
    """Compute the learning rate at `progress` in [0, 1] of the run: warm-up, then schedule.

    `drops` says how often validation has stopped gaining, for the plateau schedule.
    """
    if progress < config.warmup:
        # The first step has progress 0 and must move: it gets a hundredth.
        return config.learning_rate * max(progress / config.warmup, 0.01)
    return config.learning_rate * _share(config, progress, drops)


def _share(config: TrainConfig, progress: float, drops: int) -> float:
    """Compute what the schedule leaves of the highest learning rate, in (0, 1]."""
    if config.schedule == "cosine":  # Loshchilov & Hutter 2017, without restarts
        falling = min((progress - config.warmup) / (1 - config.warmup), 1.0)
        lowest = config.final_learning_rate
        return lowest + (1 - lowest) * 0.5 * (1 + math.cos(math.pi * falling))
    if config.schedule == "step":
        passed = sum(1 for place in config.decay_at if place <= progress)
        return float(config.decay_factor**passed)
    if config.schedule == "plateau":
        return float(config.decay_factor**drops)
    return 1.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Training budget: a number of steps, or seconds."""

    steps: int | None
    seconds: float | None

    @classmethod
    def of(cls, config: TrainConfig, windows_per_epoch: int) -> "Budget":
        """Build the budget of a configuration, its epochs counted in steps."""
        if config.minutes is not None:
            return cls(None, config.minutes * 60)
        if config.epochs is not None:
            return cls(max(1, round(config.epochs * windows_per_epoch)), None)
        return cls(config.steps, None)

    def progress(self, step: int, seconds: float) -> float:
        """Compute the share of the budget spent after `step` steps and `seconds`, at most 1."""
        if self.steps is not None:
            return min(step / self.steps, 1.0)
        assert self.seconds is not None  # noqa: S101 - `of` sets one of the two
        return min(seconds / self.seconds, 1.0)
