"""Trainer: one training step, by truncated backpropagation through time (TBPTT) with carried state.
Loss, gradient clipping, weight update.

Forward pass under autocast, loss, backward pass, gradient clipping, optimizer update. The
trainer owns what changes from step to step (weights, their average, optimizer, carried state,
place in the text, counters) and nothing else: no files, no logs, no signals.
"""

import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from model.network import Network, State
from training.data.batches import Batch, Streams
from training.distributed import SINGLE_PROCESS, ProcessGroup
from training.optimization.one_hot_choice import reads_one_hot
from training.optimization.optimizer import Budget, build_optimizer, learning_rate
from training.optimization.precision import autocast_dtype
from training.optimization.regularization import Regularization
from training.optimization.weight_averaging import MovingAverage
from training.train_config import TrainConfig
from training.training_errors import DivergedError


class Losses(NamedTuple):
    """Loss of one window of a batch, and the recurrent state after it."""

    loss: Tensor  # what is made smaller: surprisal and penalties
    surprisal: Tensor  # nats per token, without the penalties
    state: State


class Objective(nn.Module):
    """Training objective: cross-entropy of a window under dropout, plus activation penalties.

    A module of its own, so that torch's data parallelism can wrap it.
    """

    def __init__(self, network: Network, regularization: Regularization) -> None:
        super().__init__()
        self.network = network
        self.regularization = regularization

    def forward(self, inputs: Tensor, targets: Tensor, state: State) -> Losses:
        """Compute the losses of a window; inputs and targets are (B, T) int64."""
        noise = self.regularization
        one_hot = reads_one_hot(self.network.config, noise, inputs)
        top, state = self.network.read(inputs, state, noise, one_hot=one_hot)
        seen = noise.output(top)
        logits = self.network.output(seen).float()
        surprisal = functional.cross_entropy(logits.flatten(0, 1), targets.t().flatten())
        return Losses(surprisal + noise.penalty(top, seen), surprisal.detach(), state)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """Loss, gradient norm and learning rate of one weight update."""

    loss: float  # nats per token, before the update, without penalties
    gradient_norm: float  # before clipping
    learning_rate: float


class Trainer:
    """Network in training, with its optimizer, weight average, carried state and place in the text.

    `step_number`, `seconds` and `streams` say how far it is.
    """

    def __init__(
        self,
        config: TrainConfig,
        network: Network,
        streams: Streams,
        group: ProcessGroup = SINGLE_PROCESS,
    ) -> None:
        self.config = config
        self.network = network.train()
        self.streams = streams
        self.optimizer = build_optimizer(network, config)
        self.average = MovingAverage(network, config.averaging, waits=config.averaging_patience > 0)
        self.objective = group.data_parallel(Objective(network, Regularization.of(config)))
        self.rate_drops = 0  # of the plateau schedule
        self.budget = Budget.of(config, streams.windows_per_epoch)
        self.group = group
        self._rows = group.share(config.batch_size)
        self.carried = network.zero_state(self._rows.stop - self._rows.start)
        self.step_number = 0
        self.seconds_before = 0.0  # of earlier sessions of this run
        self.autocast_dtype = autocast_dtype(config, network.config, network.device, group)
        self._started = time.monotonic()
        self.progress = 0.0  # the share of the budget that is spent, in [0, 1]

    @property
    def seconds(self) -> float:
        """Seconds of training so far, evaluation included, pauses between sessions not."""
        return self.seconds_before + time.monotonic() - self._started

    def update_progress(self) -> None:
        """Update the share of the budget that is spent, in all processes alike.

        The learning rate hangs on it.
        """
        progress = self.budget.progress(self.step_number, self.seconds)
        is_by_steps = self.budget.steps is not None
        self.progress = progress if is_by_steps else self.group.broadcast(progress)

    def step(self) -> StepResult:
        """Read one window of every stream and update the weights once.

        Raises DivergedError, and leaves the weights as they are, when the loss or its gradient is
        not a finite number.
        """
        batch = self.streams.next()
        # A short window has a noisier gradient and gets a smaller step (Merity et al. 2018).
        rate = learning_rate(self.config, self.progress, self.rate_drops) * batch.relative_length
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss, surprisal = self._losses(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        surprisal = self.group.mean(surprisal)
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.clip)
        result = StepResult(loss=surprisal.item(), gradient_norm=norm.item(), learning_rate=rate)
        self._require_finite(surprisal + norm, result)
        self.optimizer.step()
        self.step_number += 1
        self.average.update(self.step_number)
        self.update_progress()
        return result

    def on_validation(self, validations_without_gain: int) -> bool:
        """Drop the learning rate on a plateau, or begin weight averaging, where that is due.

        `validations_without_gain` counts those since the best one. Gives True when averaging has
        just begun.
        """
        config, count = self.config, validations_without_gain
        if config.schedule == "plateau" and count > 0 and count % config.plateau_patience == 0:
            self.rate_drops += 1
        return count >= config.averaging_patience and self.average.begin(self.step_number)

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        device = self.network.device
        self._reset_states(everywhere=batch.opens_epoch)
        enabled = self.autocast_dtype is not None
        with torch.autocast(device.type, self.autocast_dtype, enabled=enabled):
            losses = self.objective(batch.inputs.to(device), batch.targets.to(device), self.carried)
        self.carried = losses.state.detach()
        return losses.loss, losses.surprisal

    def _reset_states(self, *, everywhere: bool) -> None:
        """Zero the carried state of all rows, or of a few by chance (Melis et al. 2020).

        Without resets all rows have read equally far, the weights settle on states of just that
        age, and a text that begins from the zero state, as every request does, is read badly.
        """
        # By the step's number, so that it depends neither on dropout nor on who has the row.
        rng = np.random.default_rng([self.config.seed, self.step_number, 2])
        chance = 1.0 if everywhere else self.config.state_reset
        rows = torch.from_numpy(rng.random(self.config.batch_size) < chance)[self._rows]
        self.carried = self.carried.without(rows.to(self.network.device))

    def _require_finite(self, value: Tensor, result: StepResult) -> None:
        if not bool(torch.isfinite(value)):
            raise DivergedError(
                f"training diverged at step {self.step_number + 1}: loss {result.loss}, gradient "
                f"norm {result.gradient_norm}; the best checkpoint so far is kept. Try a lower "
                f"learning_rate (now {self.config.learning_rate}) or clip"
            )
