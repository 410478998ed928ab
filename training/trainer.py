"""The training step: truncated back-propagation through time with carried state.

The trainer owns what changes from step to step (weights, their average, optimizer, carried state,
place in the text, counters) and nothing else: no files, no logs, no signals.
"""

import time
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.device import has_fast_bf16
from model.network import Network
from training.averaging import MovingAverage
from training.batches import Streams
from training.config import TrainConfig
from training.errors import DivergedError
from training.optimizer import Budget, build_optimizer, learning_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What one weight update says of itself."""

    loss: float  # nats per token, before the update
    gradient_norm: float  # before clipping
    learning_rate: float


class Trainer:
    """A network in training. `step_number`, `seconds` and `streams` say how far it is."""

    def __init__(self, config: TrainConfig, network: Network, streams: Streams) -> None:
        self.config = config
        self.network = network.train()
        self.streams = streams
        self.optimizer = build_optimizer(network, config)
        self.average = MovingAverage(network, config.averaging)
        self.budget = Budget.of(config, streams.windows_per_epoch)
        self.carried = network.zero_state(config.batch_size)
        self.step_number = 0
        self.seconds_before = 0.0  # of earlier sessions of this run
        self.autocast_dtype = _autocast_dtype(config.precision, network.device)
        self._started = time.monotonic()

    @property
    def seconds(self) -> float:
        """Time spent training so far, evaluation included, pauses between sessions not."""
        return self.seconds_before + time.monotonic() - self._started

    @property
    def progress(self) -> float:
        """The share of the budget that is spent, in [0, 1]."""
        return self.budget.progress(self.step_number, self.seconds)

    def step(self) -> StepResult:
        """Read one window of every stream and update the weights once.

        Raises DivergedError, and leaves the weights as they are, when the loss or its gradient is
        not a finite number.
        """
        rate = learning_rate(self.config, self.progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self._loss()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        result = StepResult(loss=loss.item(), gradient_norm=norm.item(), learning_rate=rate)
        self._require_finite(loss + norm, result)
        self.optimizer.step()
        self.step_number += 1
        self.average.update(self.step_number)
        return result

    def _loss(self) -> Tensor:
        batch = self.streams.next()
        device = self.network.device
        self._reset_states(everywhere=batch.opens_epoch)
        enabled = self.autocast_dtype is not None
        with torch.autocast(device.type, self.autocast_dtype, enabled=enabled):
            logits, state = self.network(batch.inputs.to(device), self.carried)
        self.carried = state.detach()
        targets = batch.targets.to(device)
        return functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten())

    def _reset_states(self, *, everywhere: bool) -> None:
        """Zero the carried state of all rows, or of a few by chance (Melis et al. 2020).

        Without resets all rows have read equally far, the weights settle on states of just that
        age, and a text that begins from the zero state, as every request does, is read badly.
        """
        chance = 1.0 if everywhere else self.config.state_reset
        rows = torch.rand(self.config.batch_size) < chance
        self.carried = self.carried.without(rows.to(self.network.device))

    def _require_finite(self, value: Tensor, result: StepResult) -> None:
        if not bool(torch.isfinite(value)):
            raise DivergedError(
                f"training diverged at step {self.step_number + 1}: loss {result.loss}, gradient "
                f"norm {result.gradient_norm}; the best checkpoint so far is kept. Try a lower "
                f"learning_rate (now {self.config.learning_rate}) or clip"
            )


def _autocast_dtype(
    precision: Literal["auto", "bf16", "fp32"], device: torch.device
) -> torch.dtype | None:
    use_bf16 = has_fast_bf16(device) if precision == "auto" else precision == "bf16"
    return torch.bfloat16 if use_bf16 else None
