"""The network computes the published equations, step by step as in one pass."""

from collections.abc import Callable
from typing import Any, cast

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from model.config import Cell, ModelConfig
from model.mogrifier import Mogrifier
from model.network import Network, State
from model.noise import Noise

CELLS: tuple[Cell, ...] = ("lstm", "gru", "rnn")
V, E, H, L = 11, 5, 7, 2


EXTRAS: tuple[dict[str, Any], ...] = (
    {},
    {"layer_norm": True},
    {"skip": True},
    {"mogrifier_rounds": 3},
    {"layer_norm": True, "skip": True, "mogrifier_rounds": 2, "mogrifier_rank": 3},
)


def built(cell: Cell = "lstm", *, tied: bool = False, **extras: Any) -> Network:
    torch.manual_seed(1)
    config = ModelConfig.model_validate(
        {
            "cell": cell,
            "vocab_size": V,
            "embedding_size": H if tied else E,
            "hidden_size": H,
            "num_layers": L,
            "tied": tied,
            **extras,
        }
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
@pytest.mark.parametrize("extras", EXTRAS)
def test_stepping_gives_what_one_pass_gives(cell: Cell, extras: dict[str, Any]) -> None:
    network = built(cell, **extras)
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
        ("layer_norm", 1),
        ("mogrifier_rounds", -1),
        ("mogrifier_rank", 20_000),
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
    config = ModelConfig(cell="gru", vocab_size=8, num_layers=3, mogrifier_rounds=4)
    assert ModelConfig.model_validate_json(config.model_dump_json()) == config


def test_skips_without_layers_to_skip_are_refused() -> None:
    with pytest.raises(ValidationError, match="skip is of no use with num_layers 1"):
        ModelConfig(vocab_size=8, skip=True, num_layers=1)


def test_a_rank_without_rounds_is_refused() -> None:
    with pytest.raises(ValidationError, match="mogrifier_rank is of no use"):
        ModelConfig(vocab_size=8, mogrifier_rank=4)


def test_mogrifier_rounds_are_the_published_equations() -> None:
    torch.manual_seed(2)
    mogrifier = Mogrifier(E, H, rounds=3, rank=0)
    q1, r2, q3 = (cast("nn.Linear", gate).weight for gate in mogrifier.gates)
    x, h = torch.randn(4, E), torch.randn(4, H)
    x1 = 2 * torch.sigmoid(h @ q1.t()) * x
    h2 = 2 * torch.sigmoid(x1 @ r2.t()) * h
    x3 = 2 * torch.sigmoid(h2 @ q3.t()) * x1
    for ours, published in zip(mogrifier(x, h), (x3, h2), strict=True):
        close(ours, published)


def test_a_rank_bounds_the_rank_of_a_mogrifiers_matrix() -> None:
    first = Mogrifier(E, H, rounds=1, rank=2).gates[0]
    assert torch.linalg.matrix_rank(first(torch.eye(H))) == 2


def test_what_the_output_layer_sees_is_normalised_or_summed() -> None:
    def layers_of(network: Network, seen: list[Tensor]) -> Tensor:
        top, _ = network.read(tokens, network.zero_state(3), Recording(seen))
        return top

    seen: list[Tensor] = []
    top = layers_of(built(layer_norm=True), seen)
    for passed_on in (seen[1], top):
        close(passed_on.mean(-1), torch.zeros(passed_on.shape[:-1]))
        spread = passed_on.var(-1, unbiased=False)
        assert 0.9 < spread.min() <= spread.max() < 1.1
    plain, skipping = built(), built(skip=True)
    seen.clear()
    upper = layers_of(plain, seen)
    close(layers_of(skipping, []), seen[1] + upper)


class Recording(Noise):
    """Noise that records the layers' inputs and disturbs nothing."""

    def __init__(self, seen: list[Tensor]) -> None:
        self._seen = seen

    def layer_input(self, x: Tensor, layer: int) -> Tensor:
        self._seen.append(x)
        return x
