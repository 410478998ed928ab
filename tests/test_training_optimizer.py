"""The learning rate over a run, the budget, and which weights decay."""

import pytest

from model.config import ModelConfig
from model.network import Network
from training.config import TrainConfig
from training.optimizer import Budget, build_optimizer, learning_rate

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
