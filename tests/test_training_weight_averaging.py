"""Weight averaging: the moving average of the weights."""

from pathlib import Path

import pytest
import torch
from training_runs import arguments, small_corpus

from model import checkpoint as checkpoints
from model.config import ModelConfig
from model.network import Network
from training.__main__ import main
from training.optimization.weight_averaging import MovingAverage


@pytest.fixture
def network() -> Network:
    return Network(ModelConfig(vocab_size=5, hidden_size=4, embedding_size=4, tied=True))


def move(network: Network, value: float) -> None:
    with torch.no_grad():
        for weight in network.parameters():
            weight.fill_(value)


def values_of(network: Network) -> set[float]:
    return {round(float(v), 6) for w in network.parameters() for v in w.detach().flatten()}


def test_it_is_the_mean_with_weights_that_fall_by_the_decay(network: Network) -> None:
    move(network, 0.0)
    average, expected = MovingAverage(network, 0.5), 0.0
    for step, value in enumerate([4.0, -2.0, 8.0, 1.0] * 10, start=1):
        move(network, value)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    with average.in_place():
        assert values_of(network) == {round(expected, 6)}
    assert values_of(network) == {1.0}


def test_weights_that_stand_still_are_their_own_average(network: Network) -> None:
    move(network, 0.25)
    average = MovingAverage(network, 0.999)
    for step in range(1, 50):
        average.update(step)
    with average.in_place():
        assert values_of(network) == {0.25}


def test_after_the_block_training_goes_on_from_the_weights_even_after_an_error(
    network: Network,
) -> None:
    move(network, 0.0)
    average = MovingAverage(network, 0.9)
    move(network, 1.0)
    average.update(1)
    with pytest.raises(RuntimeError), average.in_place():
        raise RuntimeError
    assert values_of(network) == {1.0}
    move(network, 2.0)
    average.update(2)
    with average.in_place():
        assert 1.0 < values_of(network).pop() < 2.0


def test_without_a_decay_the_weights_stand_for_themselves(network: Network) -> None:
    average = MovingAverage(network, 0)
    move(network, 3.0)
    average.update(1)
    with average.in_place():
        assert values_of(network) == {3.0}
    assert average.averages == {}


def test_a_decay_of_one_is_the_mean_of_all_since_the_start(network: Network) -> None:
    average = MovingAverage(network, 1.0)
    for step in range(1, 11):
        move(network, float(step))
        average.update(step)
    with average.in_place():
        assert values_of(network) == {5.5}


def test_an_average_that_waits_stands_for_the_weights_until_it_begins(network: Network) -> None:
    move(network, 100.0)
    average = MovingAverage(network, 1.0, waits=True)
    for step in range(1, 6):
        move(network, float(step))
        average.update(step)
    with average.in_place():
        assert values_of(network) == {5.0}
    average.begin(5)
    average.begin(4)  # it has begun: of no effect
    for step in range(6, 10):
        move(network, float(step))
        average.update(step)
    with average.in_place():
        assert values_of(network) == {7.5}  # of 6 to 9
    assert average.since == 5


def test_averages_of_another_network_are_refused(network: Network) -> None:
    other = Network(ModelConfig(vocab_size=5, hidden_size=8, embedding_size=4))
    with pytest.raises(ValueError, match="not those of this network"):
        MovingAverage(network, 0.9).restore(MovingAverage(other, 0.9).averages)


def test_the_checkpoint_that_is_served_is_the_average_and_the_last_state_is_not(
    tmp_path: Path,
) -> None:
    corpus = small_corpus(tmp_path)
    for name, averaging in (("plain", 0), ("averaged", 0.9)):
        assert main(arguments(corpus, name, steps=40, evaluations=1, averaging=averaging)) == 0
    weights = {
        (kind, name): checkpoints.load(tmp_path / folder).network.output.weight
        for name in ("plain", "averaged")
        for kind, folder in (("best", f"checkpoints/{name}"), ("last", f"runs/{name}/last"))
    }
    assert torch.equal(weights["last", "plain"], weights["last", "averaged"])
    assert not torch.allclose(weights["best", "plain"], weights["best", "averaged"], atol=1e-3)
