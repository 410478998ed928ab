"""Regularization: what is dropped, for how long, and what the penalties are."""

import copy
from collections.abc import Iterator
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from model.config import Cell, ModelConfig
from model.device import has_bf16_lstm
from model.network import Network
from model.noise import NO_NOISE, Noise
from training.optimization.regularization import Regularization
from training.optimization.trainer import Objective
from training.train_config import TrainConfig

V, E, H, B, T = 40, 32, 24, 3, 7
CELLS: tuple[Cell, ...] = ("lstm", "gru", "rnn")
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
        ],
    ),
]


@pytest.fixture(autouse=True)
def seeded(torch_as_before: None) -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        yield


def regularization(**fields: float) -> Regularization:
    return Regularization.of(TrainConfig.model_validate({"steps": 1, "dropout": 0.0, **fields}))


def network_of(cell: Cell = "lstm", **extras: int) -> Network:
    sizes = {"vocab_size": V, "embedding_size": E, "hidden_size": H, **extras}
    return Network(ModelConfig.model_validate({"cell": cell, **sizes})).initialise().train()


def recurrent_weight(network: Network, layer: int) -> Tensor:
    return cast("Tensor", network.layers[layer].weight_hh_l0)


tokens = torch.arange(B * T).reshape(B, T) % V


@pytest.mark.parametrize(("field", "layer"), [("dropout_input", 0), ("dropout_between", 1)])
def test_a_locked_mask_is_the_same_at_every_step_and_another_for_every_row(
    field: str, layer: int
) -> None:
    noise = regularization(**{field: 0.5})
    x = torch.ones(T, B, E)
    dropped = noise.layer_input(x, layer) == 0
    assert bool((dropped == dropped[0]).all())
    assert not torch.equal(dropped[0, 0], dropped[0, 1])
    assert 0.3 < dropped.float().mean() < 0.7
    assert noise.layer_input(x, layer).max() == 2  # what is kept makes up for what is not
    assert not torch.equal(noise.layer_input(x, layer) == 0, dropped)  # a new one every window
    assert noise.layer_input(x, 1 - layer) is x


def test_the_outputs_mask_is_locked_too() -> None:
    dropped = regularization(dropout_output=0.5).output(torch.ones(T, B, E)) == 0
    assert bool((dropped == dropped[0]).all())
    assert 0.3 < dropped.float().mean() < 0.7


def test_embedding_dropout_takes_whole_vectors_wherever_the_token_stands() -> None:
    table = torch.ones(V, E)
    dropped = regularization(dropout_embedding=0.5).embedding(table) == 0
    assert bool((dropped == dropped[:, :1]).all())
    assert 0.2 < dropped[:, 0].float().mean() < 0.8


def test_one_share_stands_for_the_three_that_are_not_given() -> None:
    noise = regularization(dropout=0.5, dropout_between=0.0)
    assert (noise.inputs, noise.between, noise.outputs) == (0.5, 0.0, 0.5)


@pytest.mark.filterwarnings("ignore:RNN module weights are not part of single")  # cuDNN's
@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("extras", [{}, {"mogrifier_rounds": 2}])
def test_dropped_weights_are_those_that_the_layer_runs_with_at_every_call(
    cell: Cell, extras: dict[str, int], autocast: bool, device: str
) -> None:
    if autocast and cell == "lstm" and not extras and not has_bf16_lstm(torch.device(device)):
        pytest.skip(f"the {device} has no kernel for an lstm in bf16")
    network = network_of(cell, num_layers=1, **extras).to(device)
    masks = (torch.rand(2, *recurrent_weight(network, 0).shape) < 0.5).float().to(device)
    ids = tokens.to(device)

    def read(noise: Noise = NO_NOISE) -> Tensor:
        with torch.autocast(device, torch.bfloat16, enabled=autocast):
            return network.read(ids, network.zero_state(B), noise)[0].float()

    whole = read()
    dropped = [read(Masked(mask)) for mask in masks]
    for mask, found in zip(masks, dropped, strict=True):
        assert not torch.allclose(found, whole, atol=1e-2)
        torch.testing.assert_close(found, copy_with(network, mask, ids, autocast, device))


class Masked(Noise):
    """Weight drop with a mask that is known."""

    def __init__(self, mask: Tensor) -> None:
        self._mask = mask

    def recurrent(self, weight: Tensor) -> Tensor:
        return weight * self._mask


def copy_with(network: Network, mask: Tensor, ids: Tensor, autocast: bool, device: str) -> Tensor:
    """Output of a copy of a network with its recurrent weights masked."""
    other = copy.deepcopy(network)
    recurrent_weight(other, 0).data.mul_(mask)
    with torch.autocast(device, torch.bfloat16, enabled=autocast):
        return other.read(ids, other.zero_state(B))[0].float()


def test_weight_drop_draws_anew_every_window_and_leaves_the_weights_alone() -> None:
    network = network_of()
    noise = regularization(weight_drop=0.5)
    weight = recurrent_weight(network, 1)
    before = weight.detach().clone()
    first, second = noise.recurrent(weight), noise.recurrent(weight)
    assert not torch.equal(first, second)
    assert 0.4 < torch.eq(first, 0).float().mean() < 0.6
    assert torch.equal(weight.detach(), before)
    network.read(tokens, network.zero_state(B), noise)[0].sum().backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    assert 0.3 < torch.eq(weight.grad, 0).float().mean() < 0.7  # what was dropped learns nothing


def test_the_penalties_are_mean_squares_of_activations_and_of_their_change() -> None:
    top, seen = torch.randn(T, B, H), torch.randn(T, B, H)
    noise = regularization(activation_reg=2.0, temporal_activation_reg=3.0)
    expected = 2 * (seen**2).mean() + 3 * ((top[1:] - top[:-1]) ** 2).mean()
    torch.testing.assert_close(noise.penalty(top, seen), expected)
    assert regularization().penalty(top, seen) == 0
    assert regularization(temporal_activation_reg=1.0).penalty(top[:1], seen[:1]) == 0


def test_everything_that_disturbs_reaches_the_loss() -> None:
    """Each place by itself: what a Noise gives there is what the network goes on with."""
    network = network_of()
    state = network.zero_state(B)
    plain = Objective(network, regularization())(tokens, tokens, state).surprisal
    fields = ("dropout_embedding", "dropout_input", "dropout_between", "dropout_output")
    for field in (*fields, "weight_drop"):
        disturbed = Objective(network, regularization(**{field: 0.5}))(tokens, tokens, state)
        assert not torch.isclose(disturbed.surprisal, plain), field


def test_activations_are_penalised_as_the_output_saw_them_and_changes_as_they_came() -> None:
    network = network_of()
    fields = {"dropout_output": 0.5, "activation_reg": 2.0, "temporal_activation_reg": 3.0}
    noise = regularization(**fields)
    torch.manual_seed(5)
    losses = Objective(network, noise)(tokens, tokens, network.zero_state(B))
    top, _ = network.read(tokens, network.zero_state(B))
    torch.manual_seed(5)
    seen = noise.output(top)
    assert not torch.equal(seen, top)
    expected = 2 * (seen**2).mean() + 3 * ((top[1:] - top[:-1]) ** 2).mean()
    torch.testing.assert_close(losses.loss - losses.surprisal, expected)


def test_the_loss_is_the_surprisal_and_the_penalties() -> None:
    network = network_of()
    plain = Objective(network, regularization())(tokens, tokens, network.zero_state(B))
    dear = regularization(activation_reg=1.0)
    costly = Objective(network, dear)(tokens, tokens, network.zero_state(B))
    assert plain.loss == plain.surprisal == costly.surprisal
    top, _ = network.read(tokens, network.zero_state(B))
    torch.testing.assert_close(costly.loss, plain.loss + (top**2).mean())
    logits, _ = network(tokens, network.zero_state(B))
    expected = nn.functional.cross_entropy(logits.flatten(0, 1), tokens.flatten())
    torch.testing.assert_close(plain.loss, expected)
