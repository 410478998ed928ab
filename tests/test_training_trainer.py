"""Trainer: what a step does beside the loss: resets, and what it makes of validations."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from model.config import ModelConfig
from model.network import Network, State
from training.data.batches import Streams
from training.distributed import SINGLE_PROCESS, ProcessGroup
from training.optimization.trainer import Trainer
from training.train_config import TrainConfig


@pytest.fixture(autouse=True)
def one_thread(torch_as_before: None) -> Iterator[None]:
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        yield


def trainer_of(*, group: ProcessGroup = SINGLE_PROCESS, **fields: object) -> Trainer:
    settings = {"steps": 1000, "batch_size": 50, "sequence_length": 4, "dropout": 0, **fields}
    config = TrainConfig.model_validate(settings)
    shape = ModelConfig(vocab_size=9, embedding_size=6, hidden_size=6, num_layers=1)
    ids = np.arange(4000, dtype=np.uint16) % 9
    streams = Streams(
        ids,
        batch_size=50,
        sequence_length=config.sequence_length,
        vary_lengths=config.vary_lengths,
        seed=1,
    )
    return Trainer(config, Network(shape).initialise(), streams, group)


@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_about_as_many_states_are_zeroed_as_the_chance_says(chance: float) -> None:
    trainer = trainer_of(state_reset=chance)
    zeroed: list[int] = []

    def count(_: nn.Module, args: tuple[Tensor, Tensor, State]) -> None:
        zeroed.append(int((args[2].hidden.abs().sum(dim=(0, 2)) == 0).sum()))

    trainer.objective.register_forward_pre_hook(count)
    for _ in range(19):  # the first window opens the epoch: there all are
        trainer.step()
    assert zeroed[0] == 50
    assert sum(zeroed[1:]) / (18 * 50) == pytest.approx(chance, abs=0.05)


def test_the_plateau_drops_the_rate_at_every_multiple_of_its_patience() -> None:
    trainer = trainer_of(schedule="plateau", plateau_patience=2, decay_factor=0.5, warmup=0)
    seen = []
    for without_gain in (0, 1, 2, 3, 4, 0, 1, 2):
        trainer.on_validation(without_gain)
        seen.append(trainer.step().learning_rate / trainer.config.learning_rate)
    assert seen == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]


def test_other_schedules_take_no_notice_of_validations() -> None:
    trainer = trainer_of(schedule="constant", plateau_patience=1, warmup=0)
    trainer.on_validation(5)
    assert trainer.step().learning_rate == trainer.config.learning_rate


def test_the_learning_rate_goes_with_the_length_of_a_window() -> None:
    trainer = trainer_of(schedule="constant", warmup=0, vary_lengths=True, sequence_length=20)
    seen: list[int] = []

    def measure(_: nn.Module, args: tuple[Tensor, Tensor, State]) -> None:
        seen.append(args[0].shape[1])

    trainer.objective.register_forward_pre_hook(measure)
    rates = [trainer.step().learning_rate for _ in range(4)]
    assert len(set(seen)) > 1
    assert rates == pytest.approx([trainer.config.learning_rate * n / 20 for n in seen])


def test_by_the_clock_the_writer_says_how_far_a_run_is() -> None:
    class Late(ProcessGroup):
        """A process whose own clock says something else than the writer's."""

        def broadcast(self, value: float) -> float:
            return 0.25

    trainer = trainer_of(steps=None, minutes=1000.0, group=Late())
    trainer.step()
    assert trainer.progress == 0.25
    by_steps = trainer_of(steps=10, group=Late())
    by_steps.step()
    assert by_steps.progress == 0.1


def test_averaging_begins_when_validation_has_stopped_gaining() -> None:
    trainer = trainer_of(averaging=1.0, averaging_patience=2)
    trainer.step()
    trainer.on_validation(1)
    assert trainer.average.since is None
    trainer.on_validation(2)
    trainer.step()
    trainer.on_validation(0)
    assert trainer.average.since == 1


def test_the_penalties_move_the_weights_but_are_not_in_the_loss_that_is_told() -> None:
    plain, dear = trainer_of(), trainer_of(activation_reg=10.0)
    dear.network.load_state_dict(plain.network.state_dict())
    results = plain.step(), dear.step()
    assert results[0].loss == results[1].loss
    assert results[0].gradient_norm != results[1].gradient_norm
