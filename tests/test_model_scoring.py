"""Scoring is the cross-entropy of one pass, however it is windowed or continued."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from model.config import Cell, ModelConfig
from model.network import Network
from model.scoring import WINDOW, Score, surprisals

V = 13


@pytest.fixture(scope="module", params=["lstm", "gru"])
def network(request: pytest.FixtureRequest) -> Network:
    cell: Cell = request.param
    torch.manual_seed(3)
    config = ModelConfig(cell=cell, vocab_size=V, embedding_size=8, hidden_size=8)
    return Network(config).initialise().eval()


def ids_of(rows: int, length: int) -> Tensor:
    return torch.randint(V, (rows, length), generator=torch.Generator().manual_seed(length))


def one_pass(network: Network, ids: Tensor) -> Tensor:
    with torch.inference_mode():
        logits, _ = network(ids[:, :-1], network.zero_state(ids.shape[0]))
    return functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")


@pytest.mark.parametrize("length", [2, WINDOW, WINDOW + 1, WINDOW + 2, 2 * WINDOW + 7])
def test_windows_change_no_number(network: Network, length: int) -> None:
    ids = ids_of(2, length)
    losses, _ = surprisals(network, ids)
    assert losses.shape == (2, length - 1)
    torch.testing.assert_close(losses, one_pass(network, ids), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_state_continues_a_text(network: Network, cut: int) -> None:
    ids = ids_of(2, 60)
    whole, end = surprisals(network, ids)
    first, state = surprisals(network, ids[:, : cut + 1])
    second, state = surprisals(network, ids[:, cut:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(state.hidden, end.hidden)


@pytest.mark.parametrize("length", [0, 1])
def test_a_text_without_a_second_id_has_no_surprisal(network: Network, length: int) -> None:
    losses, state = surprisals(network, ids_of(3, length))
    assert losses.shape == (3, 0)
    assert torch.equal(state.hidden, network.zero_state(3).hidden)


def test_surprisals_are_finite_nats_on_the_cpu(network: Network) -> None:
    losses, _ = surprisals(network, ids_of(1, 50))
    assert losses.device.type == "cpu"
    assert losses.dtype == torch.float32
    assert float(losses.mean()) == pytest.approx(math.log(V), rel=0.5)


def test_a_fair_coin_costs_one_bit_a_character() -> None:
    score = Score(nats=10 * math.log(2), characters=10)
    assert score.bits_per_character == pytest.approx(1)
    assert score.nats_per_character == pytest.approx(math.log(2))
    assert score.perplexity == pytest.approx(2)


def test_a_perplexity_past_all_bounds_is_still_a_number() -> None:
    assert math.isfinite(Score(nats=1e30, characters=1).perplexity)
