"""Initialisation: what a gate adds up varies alike in every layer, so that deep stacks learn."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from model.config import Cell, ModelConfig
from model.network import Network, State
from model.tokenizer import Tokenizer

V, H, B, T = 60, 96, 8, 40
ids = torch.randint(0, V, (B, T), generator=torch.Generator().manual_seed(0))
SHAPES: list[dict[str, Any]] = [{}, {"tied": True, "embedding_size": H}, {"layer_norm": True}]


def fresh(**fields: Any) -> Network:
    torch.manual_seed(3)
    shape = {"vocab_size": V, "embedding_size": 32, "hidden_size": H, "num_layers": 3, **fields}
    return Network(ModelConfig.model_validate(shape)).initialise()


def input_sums(network: Network) -> list[Tensor]:
    """What each layer's input weights add up to over a window, (T, B, gates x H)."""
    with torch.no_grad():
        x = network.embedding(ids.t())
        passes = list(network.layer_passes(x, network.zero_state(B)))
        return [
            each.x @ layer.get_parameter("weight_ih_l0").t()
            for each, layer in zip(passes, network.layers, strict=True)
        ]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("shape", SHAPES)
def test_input_sums_vary_by_about_one_in_every_layer(cell: Cell, shape: dict[str, Any]) -> None:
    for sums in input_sums(fresh(cell=cell, **shape)):
        assert 0.4 < float(sums.std()) < 2.0


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_guess_is_nearly_even(shape: dict[str, Any]) -> None:
    network = fresh(**shape)
    logits = network(ids, network.zero_state(B))[0]
    loss = functional.cross_entropy(logits.flatten(0, 1), ids.flatten())
    assert float(loss.detach()) == pytest.approx(math.log(V), abs=0.7)


def test_the_top_of_a_deep_stack_tells_its_texts_apart() -> None:
    network = fresh(num_layers=4)
    with torch.no_grad():
        top, _ = network.read(ids, network.zero_state(B))
    assert float(top[-1].std(dim=0).mean()) > 0.1


def test_recurrent_weights_are_orthogonal_by_gate_and_forget_gates_open() -> None:
    for layer in fresh().layers:
        for gate in layer.get_parameter("weight_hh_l0").detach().chunk(4):
            torch.testing.assert_close(gate @ gate.t(), torch.eye(H), atol=1e-5, rtol=0)
        bias = layer.get_parameter("bias_ih_l0").detach().view(4, H)
        assert bias.tolist() == [[float(row == 1)] * H for row in range(4)]


def test_a_deep_stack_leaves_the_frequencies_of_letters_at_once(
    tokenizer: Tokenizer, anthology: str
) -> None:
    text = torch.tensor(tokenizer.encode(anthology[:120_000]))
    torch.manual_seed(1)
    config = ModelConfig(
        vocab_size=tokenizer.vocab_size, embedding_size=32, hidden_size=H, num_layers=4
    )
    network = Network(config).initialise()
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    rows = text[: len(text) // 16 * 16].view(16, -1)
    state: State = network.zero_state(16)
    losses = []
    for start in range(0, 120 * 32, 32):
        window = rows[:, start : start + 33]
        logits, state = network(window[:, :-1], state.detach())
        loss = functional.cross_entropy(logits.flatten(0, 1), window[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    counts = torch.bincount(text).double()
    shares = counts[counts > 0] / counts.sum()
    of_letters = float(-(shares * shares.log()).sum())
    assert sum(losses[-10:]) / 10 < of_letters - 0.5
