"""The learning rate over a run, the budget, and which weights decay."""

import pytest
import torch

from model.config import ModelConfig
from model.network import Network
from training.optimization.optimizer import Budget, build_optimizer, learning_rate
from training.train_config import TrainConfig

CONFIG = TrainConfig(steps=100, learning_rate=1.0, warmup=0.1, final_learning_rate=0.2)


def test_the_learning_rate_rises_then_falls_to_its_last_share() -> None:
    rates = [learning_rate(CONFIG, step / 100) for step in range(101)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[0] > 0
    assert max(rates) == pytest.approx(1.0)
    assert rates[-1] == pytest.approx(0.2)


def test_without_warmup_the_first_step_has_the_highest_rate() -> None:
    assert learning_rate(CONFIG.model_copy(update={"warmup": 0.0}), 0.0) == pytest.approx(1.0)


def rates(config: TrainConfig, drops: int = 0) -> list[float]:
    return [learning_rate(config, progress, drops) for progress in (0.1, 0.49, 0.5, 0.74, 0.75, 1)]


def test_the_steps_fall_where_they_are_told_to() -> None:
    changes = {"schedule": "step", "decay_at": (0.5, 0.75), "decay_factor": 0.1}
    stepping = CONFIG.model_copy(update=changes)
    assert rates(stepping) == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_the_plateau_falls_with_every_drop_and_only_then() -> None:
    changes = {"schedule": "plateau", "decay_factor": 0.5}
    plateau = CONFIG.model_copy(update=changes)
    assert rates(plateau) == [1.0] * 6
    assert rates(plateau, drops=2) == [0.25] * 6


def test_a_constant_rate_only_warms_up() -> None:
    constant = CONFIG.model_copy(update={"schedule": "constant"})
    assert learning_rate(constant, 0.05) == pytest.approx(0.5)
    assert rates(constant) == [1.0] * 6


def test_without_a_first_moment_the_update_is_rmsprop_with_adams_correction() -> None:
    network = Network(ModelConfig(vocab_size=5, hidden_size=4, embedding_size=4)).initialise()
    changes = {"beta1": 0.0, "beta2": 0.9, "weight_decay": 0.0, "learning_rate": 0.01}
    optimizer = build_optimizer(network, CONFIG.model_copy(update=changes))
    weight, second = network.output.weight, torch.zeros(5, 4)
    expected = weight.detach().clone()
    for step in (1, 2, 3):
        torch.manual_seed(step)
        gradient = torch.randn(5, 4)
        network.zero_grad()
        weight.grad = gradient
        optimizer.step()
        second = 0.9 * second + 0.1 * gradient**2
        expected -= 0.01 * gradient / ((second / (1 - 0.9**step)).sqrt() + 1e-8)
    torch.testing.assert_close(weight.detach(), expected)


@pytest.mark.parametrize(
    ("field", "value", "step", "seconds", "progress"),
    [
        ("steps", 10, 5, 999.0, 0.5),
        ("epochs", 2.0, 5, 999.0, 0.25),
        ("epochs", 0.001, 1, 0.0, 1.0),
        ("minutes", 2.0, 10**9, 30.0, 0.25),
        ("minutes", 2.0, 0, 500.0, 1.0),
    ],
)
def test_progress_counts_what_the_budget_is_in(
    field: str, value: float, step: int, seconds: float, progress: float
) -> None:
    budget = Budget.of(TrainConfig.model_validate({field: value}), windows_per_epoch=10)
    assert budget.progress(step, seconds) == progress


@pytest.mark.parametrize("tied", [True, False])
def test_only_matrices_other_than_the_embedding_decay(tied: bool) -> None:
    network = Network(ModelConfig(vocab_size=9, embedding_size=8, hidden_size=8, tied=tied))
    decaying, others = build_optimizer(network, CONFIG).param_groups
    names = {id(weight): name for name, weight in network.named_parameters()}
    assert all(
        "weight" in names[id(w)] and "embedding" not in names[id(w)] for w in decaying["params"]
    )
    assert "embedding.weight" in [names[id(weight)] for weight in others["params"]]
    assert len(decaying["params"]) + len(others["params"]) == len(names)
    assert others["weight_decay"] == 0
