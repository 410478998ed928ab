"""The network computes the published equations, step by step as in one pass."""

from collections.abc import Callable
from typing import cast

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from model.config import Cell, ModelConfig
from model.network import Network, State

CELLS: tuple[Cell, ...] = ("lstm", "gru", "rnn")
V, E, H, L = 11, 5, 7, 2


@pytest.fixture(autouse=True)
def one_thread(torch_as_before: None) -> None:
    """Products so small cost least with one thread, above all beside other work."""
    torch.set_num_threads(1)


def built(cell: Cell = "lstm", *, tied: bool = False, dropout: float = 0.0) -> Network:
    torch.manual_seed(1)
    config = ModelConfig(
        cell=cell,
        vocab_size=V,
        embedding_size=H if tied else E,
        hidden_size=H,
        num_layers=L,
        tied=tied,
        dropout=dropout,
    )
    return Network(config).initialise().eval()


def close(left: Tensor, right: Tensor) -> None:
    torch.testing.assert_close(left, right, rtol=1e-5, atol=1e-6)


def close_states(left: State, right: State) -> None:
    close(left.hidden, right.hidden)
    assert (left.cell is None) == (right.cell is None)
    if left.cell is not None and right.cell is not None:
        close(left.cell, right.cell)


def random_state(network: Network, rows: int) -> State:
    zero = network.zero_state(rows)
    cell = None if zero.cell is None else torch.randn_like(zero.cell)
    return State(torch.randn_like(zero.hidden), cell)


tokens = torch.arange(27).reshape(3, 9) * 5 % V


@pytest.mark.parametrize("cell", CELLS)
def test_stepping_gives_what_one_pass_gives(cell: Cell) -> None:
    network = built(cell)
    start = state = random_state(network, 3)
    stepped = []
    for t in range(tokens.shape[1]):
        logits, state = network.step(tokens[:, t], state)
        stepped.append(logits)
    whole, after = network(tokens, start)
    close(torch.stack(stepped, dim=1), whole)
    close_states(state, after)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("cut", [1, 4, 8])
def test_state_carried_over_a_cut_gives_what_one_pass_gives(cell: Cell, cut: int) -> None:
    network = built(cell)
    whole, after = network(tokens, network.zero_state(3))
    first, state = network(tokens[:, :cut], network.zero_state(3))
    second, state = network(tokens[:, cut:], state)
    close(torch.cat([first, second], dim=1), whole)
    close_states(state, after)


def gate(layer: nn.LSTM, index: int, x: Tensor, h: Tensor, squash: Callable[..., Tensor]) -> Tensor:
    w, u, b_w, b_u = (weight.chunk(4)[index] for weight in layer.all_weights[0])
    return squash(w @ x + b_w + u @ h + b_u)


def test_a_layer_computes_the_lstm_equations() -> None:
    network = built()
    for weight in network.parameters():
        nn.init.normal_(weight)
    layer = cast("nn.LSTM", network.layers[0])
    xs, h, c = torch.randn(6, E), torch.randn(H), torch.randn(H)
    shown, (last_h, last_c) = layer(xs, (h[None], c[None]))
    for x, of_layer in zip(xs, shown, strict=True):
        i, f, o = (gate(layer, index, x, h, torch.sigmoid) for index in (0, 1, 3))
        c = f * c + i * gate(layer, 2, x, h, torch.tanh)
        h = o * torch.tanh(c)
        close(of_layer, h)
    close_states(State(last_h, last_c), State(h[None], c[None]))


def test_the_output_is_a_linear_map_of_the_top_hidden_state() -> None:
    network = built()
    logits, state = network(tokens, network.zero_state(3))
    close(logits[:, -1], state.hidden[-1] @ network.output.weight.T + network.output.bias)


def test_fresh_forget_gates_are_biased_by_one_and_nothing_else_is() -> None:
    for layer in built().layers:
        biases = [w.chunk(4) for name, w in layer.named_parameters() if name.startswith("bias")]
        assert len(biases) == 2
        for index, parts in enumerate(zip(*biases, strict=True)):
            assert torch.equal(sum(parts, torch.zeros(H)), torch.full((H,), float(index == 1)))


@pytest.mark.parametrize("cell", CELLS)
def test_fresh_recurrent_weights_are_orthogonal_by_gate(cell: Cell) -> None:
    for layer in built(cell).layers:
        recurrent = cast("nn.RNNBase", layer).all_weights[0][1]
        for part in recurrent.view(-1, H, H):
            close(part @ part.T, torch.eye(H))


def test_a_tied_output_and_the_embedding_are_one_tensor() -> None:
    network = built(tied=True)
    assert network.output.weight is network.embedding.weight
    untied = built()
    assert untied.output.weight is not untied.embedding.weight


def rows_of(state: State, rows: list[int]) -> State:
    cell = None if state.cell is None else state.cell[:, rows]
    return State(state.hidden[:, rows], cell)


@pytest.mark.parametrize("cell", CELLS)
def test_rows_without_their_text_are_as_before_any_text(cell: Cell) -> None:
    network = built(cell)
    state = random_state(network, 3)
    fresh = state.without(torch.tensor([False, True, False]))
    close_states(rows_of(fresh, [1]), network.zero_state(1))
    close_states(rows_of(fresh, [0, 2]), rows_of(state, [0, 2]))


def test_a_detached_state_has_the_same_numbers_and_no_graph() -> None:
    network = built()
    _, state = network(tokens, network.zero_state(3))
    detached = state.detach()
    assert state.hidden.requires_grad
    assert not detached.hidden.requires_grad
    close_states(detached, state)


def test_only_the_lstm_has_a_cell_state() -> None:
    assert [built(cell).zero_state(1).cell is not None for cell in CELLS] == [True, False, False]


def test_dropout_is_on_in_training_and_off_in_evaluation() -> None:
    network = built(dropout=0.5)
    state = network.zero_state(3)
    assert torch.equal(network(tokens, state)[0], network(tokens, state)[0])
    close(network(tokens, state)[0], built()(tokens, state)[0])
    network.train()
    assert not torch.equal(network(tokens, state)[0], network(tokens, state)[0])


@pytest.mark.parametrize("cell", CELLS)
def test_one_row_does_not_see_another(cell: Cell) -> None:
    network = built(cell)
    together, _ = network(tokens, network.zero_state(3))
    alone, _ = network(tokens[1:2], network.zero_state(1))
    close(together[1:2], alone)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cell", "transformer"),
        ("vocab_size", 1),
        ("vocab_size", 1_000_001),
        ("vocab_size", 8.0),
        ("embedding_size", 0),
        ("embedding_size", True),
        ("hidden_size", 16_385),
        ("hidden_size", "64"),
        ("num_layers", 0),
        ("num_layers", 17),
        ("tied", 1),
        ("dropout", -0.1),
        ("dropout", 1.0),
        ("dropout", float("nan")),
        ("heads", 4),
    ],
)
def test_a_config_error_names_the_field(field: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        ModelConfig.model_validate({"vocab_size": 8, field: value})
    assert caught.value.errors()[0]["loc"] == (field,)


def test_tied_widths_must_agree() -> None:
    with pytest.raises(ValidationError, match="embedding_size equal to hidden_size, got 4 and 8"):
        ModelConfig(vocab_size=8, embedding_size=4, hidden_size=8, tied=True)


def test_a_config_survives_json() -> None:
    config = ModelConfig(cell="gru", vocab_size=8, num_layers=3, dropout=0.25)
    assert ModelConfig.model_validate_json(config.model_dump_json()) == config


def test_dropout_in_training_keeps_one_mask_over_the_steps_of_a_window() -> None:
    config = ModelConfig(vocab_size=5, embedding_size=64, hidden_size=8, dropout=0.5, num_layers=1)
    network = Network(config).initialise().train()
    seen: list[Tensor] = []
    network.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(torch.zeros(3, 7, dtype=torch.int64), network.zero_state(3))
    is_dropped = seen[0] == 0  # (T, B, E)
    assert bool((is_dropped == is_dropped[0]).all())
    assert 0.3 < is_dropped.float().mean() < 0.7
    assert not torch.equal(is_dropped[0, 0], is_dropped[0, 1])
    kept = seen[0][0][~is_dropped[0]]
    whole = network.embedding.weight[0].expand(3, -1)[~is_dropped[0]]
    assert torch.allclose(kept, 2 * whole)
