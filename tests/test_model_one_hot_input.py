"""One-hot input: another way through the lowest layer, to the same numbers."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from model.config import Cell, ModelConfig
from model.device import has_bf16_lstm
from model.network import Network, State
from model.noise import NO_NOISE, Noise
from model.one_hot_input import one_hot_input, one_hot_width

# Vocabulary, embedding, hidden width, rows, steps.
SHAPES = [(2, 3, 5, 1, 1), (33, 40, 24, 3, 7), (32, 1, 9, 2, 1), (70, 64, 1, 1, 11)]


class Masked(Noise):
    """Embedding dropout and weight drop by masks that are the same at every call."""

    def embedding(self, table: Tensor) -> Tensor:
        return table * (torch.arange(len(table)) % 3 > 0)[:, None]

    def recurrent(self, weight: Tensor) -> Tensor:
        return weight * (torch.arange(weight.numel()).view_as(weight) % 4 > 0)


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(3)
        yield


def network_of(vocab_size: int, embedding: int, hidden: int, **extras: object) -> Network:
    sizes = {"vocab_size": vocab_size, "embedding_size": embedding, "hidden_size": hidden}
    return Network(ModelConfig.model_validate({**sizes, **extras})).initialise().train()


def reading(
    network: Network, ids: Tensor, noise: Noise, *, one_hot: bool, autocast: bool = False
) -> list[Tensor]:
    """What a window read is and leaves: output, state, and the gradients of all weights."""
    network.zero_grad()
    type_ = network.embedding.weight.dtype
    zero = network.zero_state(len(ids))
    cell = None if zero.cell is None else (zero.cell - 0.5).to(type_)
    start = State((zero.hidden + 0.3).to(type_), cell)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        top, after = network.read(ids, start, noise, one_hot=one_hot)
    (top * torch.linspace(-1, 1, top.numel(), dtype=type_).view_as(top)).sum().backward()  # type: ignore[no-untyped-call]
    state = [after.hidden] if after.cell is None else [after.hidden, after.cell]
    gradients = [w.grad for w in network.parameters() if w.grad is not None]
    return [part.detach().clone() for part in (top, *state, *gradients)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("noise", [NO_NOISE, Masked()], ids=("plain", "masked"))
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_gives_the_outputs_states_and_gradients_of_embedded_ids(
    shape: tuple[int, ...], noise: Noise, dtype: torch.dtype
) -> None:
    *sizes, rows, steps = shape
    network = network_of(*sizes, num_layers=2, layer_norm=True, skip=True).to(dtype)
    ids = torch.randint(sizes[0], (rows, steps))
    plain, one_hot = (reading(network, ids, noise, one_hot=way) for way in (False, True))
    assert len(plain) == 3 + 13  # each weight but those of the output layer has a gradient
    torch.testing.assert_close(one_hot, plain)


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_it_serves_every_cell(cell: Cell) -> None:
    network = network_of(9, 12, 7, cell=cell).double()
    ids = torch.randint(9, (2, 5))
    plain, one_hot = (reading(network, ids, NO_NOISE, one_hot=way) for way in (False, True))
    torch.testing.assert_close(one_hot, plain)


@pytest.mark.skipif(not has_bf16_lstm(torch.device("cpu")), reason="no lstm in bf16 here")
def test_in_bf16_it_is_about_as_near_to_float32_as_the_plain_way() -> None:
    network = network_of(60, 128, 64)
    ids = torch.randint(60, (4, 20))
    exact = reading(network, ids, NO_NOISE, one_hot=False)
    errors = [
        [
            ((rounded.float() - right).norm() / right.norm()).item()
            for rounded, right in zip(
                reading(network, ids, NO_NOISE, one_hot=way, autocast=True), exact, strict=True
            )
        ]
        for way in (False, True)
    ]
    for plain, one_hot in zip(*errors, strict=True):
        assert 0 < one_hot < 2 * plain + 0.002


@pytest.mark.parametrize(("size", "width"), [(1, 32), (32, 32), (33, 64), (89, 96)])
def test_vectors_are_padded_to_whole_registers(size: int, width: int) -> None:
    assert one_hot_width(size) == width
    x, table = one_hot_input(torch.tensor([[0], [size - 1]]), torch.ones(size, 3))
    assert (x.shape, table.shape) == ((2, 1, width), (width, 3))
    assert x.argmax(-1).tolist() == [[0], [size - 1]]
    assert x.sum() == 2
    assert table.sum() == 3 * size
