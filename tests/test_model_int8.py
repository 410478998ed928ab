"""Int8 backend: exact products on every CPU, and logits near those of the network in float32."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from model.config import ModelConfig
from model.decoding.backends.int8 import input_table, quantize, why_not_exact
from model.decoding.backends.integer_product import KINDS, IntegerProduct, exact_kinds
from model.decoding.decoder import decoder_of
from model.decoding.kernels.byte_product import offset_of
from model.decoding.kernels.int8_layers import GRU, LSTM, RNN, run_layer
from model.network import Network
from model.quantization import LEVELS


def network_of(**fields: object) -> Network:
    config = ModelConfig.model_validate({"vocab_size": 30, "hidden_size": 32, **fields})
    return Network(config).initialise().eval()


def weight_of(outputs: int, inputs: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(inputs)
    return torch.randint(
        -LEVELS, LEVELS + 1, (outputs, inputs), generator=generator, dtype=torch.int8
    )


def hidden_of(rows: int, inputs: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(rows)
    return torch.randint(1, 256, (rows, inputs), dtype=torch.uint8, generator=generator)


def test_a_product_of_floats_that_hold_integers_is_exact_everywhere() -> None:
    assert "float32" in exact_kinds()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(64, 16), (64, 128), (32, 100), (512, 103), (96, 2048)], ids=str)
def test_an_integer_product_is_exact_whatever_the_rows_and_threads(
    kind: str, shape: tuple[int, int]
) -> None:
    """With AMX, oneDNN has other code for one row than for many, and other code by width."""
    if kind not in exact_kinds():
        pytest.skip(f"{kind} is not exact here, and not used")
    weight = weight_of(*shape)
    product = KINDS[kind](weight)
    for rows in (1, 2, 3, 5, 8, 15, 16, 17, 33, 64, 100):
        hidden = hidden_of(rows, shape[1])
        expected = (hidden.long() - 128) @ weight.long().t()
        for threads in (1, 2):
            torch.set_num_threads(threads)
            assert torch.equal(product(hidden).long(), expected)


def test_what_is_fastest_for_so_many_rows_is_exact_too() -> None:
    weight = weight_of(96, 80)
    product = IntegerProduct(weight)
    for rows in (1, 4, 15, 16, 63, 64, 200):
        hidden = hidden_of(rows, 80)
        assert torch.equal(product(hidden).long(), (hidden.long() - 128) @ weight.long().t())


def test_a_product_that_is_missing_or_wrong_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(weight: torch.Tensor) -> None:
        raise AttributeError("no such operator in this torch")

    def saturating(weight: torch.Tensor):  # type: ignore[no-untyped-def]
        right = KINDS["float32"](weight)
        return lambda hidden: right(hidden).clamp(-32768, 32767)

    monkeypatch.setitem(KINDS, "onednn", missing)
    monkeypatch.setitem(KINDS, "fbgemm", saturating)
    exact_kinds.cache_clear()
    try:
        assert exact_kinds() == ("float32", "kernel")
    finally:
        monkeypatch.undo()
        exact_kinds.cache_clear()


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("shape", [(1, 24, 16), (2, 32, 32), (3, 17, 50)], ids=str)
def test_the_logits_of_the_int8_backend_are_near_those_of_the_network(
    shape: tuple[int, int, int], cell: str
) -> None:
    layers, embedding, hidden = shape
    torch.manual_seed(1)
    network = network_of(cell=cell, num_layers=layers, embedding_size=embedding, hidden_size=hidden)
    backend, state = decoder_of(network, "int8").backend, network.zero_state(3)
    ids = torch.randint(0, 30, (40, 3))
    fast, errors, sizes = backend.zero_state(3), [], []
    with torch.inference_mode():
        for step in ids:
            expected, state = network.step(step, state)
            errors.append(backend.step(step, fast) - expected)
            sizes.append(expected)
    assert torch.stack(errors).norm() < 0.06 * torch.stack(sizes).norm()


def test_a_row_of_weights_that_is_all_zero_gives_its_bias() -> None:
    rounded, scale = quantize(torch.zeros(4, 8))
    assert not rounded.any()
    assert np.isfinite(scale).all()


def test_the_table_of_input_products_is_within_half_a_unit_of_the_exact_one() -> None:
    generator = torch.Generator().manual_seed(1)
    embedding, weight = torch.randn(7, 33, generator=generator), torch.randn(33, 40)
    bias = torch.randn(40, generator=generator)
    table = input_table(embedding, weight.t(), bias)
    exact = (embedding.double() @ weight.double() + bias.double()).numpy()
    assert (np.abs(table - exact) <= 0.5001 * np.spacing(np.abs(exact).astype(np.float32))).all()


def test_a_layer_that_may_reach_inexact_sums_is_told() -> None:
    narrow = network_of()
    assert why_not_exact(narrow) is None
    with torch.no_grad():
        wide = network_of(hidden_size=2200, num_layers=1)
        for weight in wide.parameters():
            weight.fill_(0.5)  # every weight at the last level: the largest sum there can be
    assert "may not be exact" in str(why_not_exact(wide))


@pytest.mark.parametrize("kind", [LSTM, GRU, RNN])
def test_a_layer_reads_a_text_as_it_would_in_two_parts(kind: int) -> None:
    rng, blocks = np.random.default_rng(0), 8 if kind == RNN else 32
    weight = rng.integers(-63, 64, (blocks, 16)).astype(np.int8)
    below = rng.integers(-9999, 9999, (5, blocks)).astype(np.float32)
    offset = offset_of(np.ascontiguousarray(weight[:, 8:]))
    scale = np.full(blocks, 1e-4, np.float32)
    biases = rng.normal(size=(3, blocks)).astype(np.float32)
    which = np.array([0, 2, 1, 1, 0])

    def read(*cuts: tuple[int, int]) -> list[NDArray[np.generic]]:
        carried, hidden = np.zeros((1, 8), np.float32), np.full((1, 8), 128, np.uint8)
        seen = np.zeros((5, 8), np.uint8)
        for first, last in cuts:
            one = slice(first, last)
            inputs = (weight, offset, below[one], scale, biases, which[one])
            run_layer(kind, *inputs, carried, hidden, 0, seen[one])
        return [carried, hidden, seen]

    for whole, parts in zip(read((0, 5)), read((0, 2), (2, 5)), strict=True):
        assert (whole == parts).all()


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_a_prompt_fed_layer_by_layer_leaves_the_state_of_single_steps(cell: str) -> None:
    torch.manual_seed(2)
    backend = decoder_of(network_of(cell=cell, num_layers=3, hidden_size=40), "int8").backend
    ids = torch.randint(0, 30, (1, 21))
    fed, stepped = backend.zero_state(1), backend.zero_state(1)
    crowd = backend.zero_state(4)
    with torch.inference_mode():
        seen = backend.feed(ids, [21], fed)
        for column in ids.t():
            logits = backend.step(column.contiguous(), stepped)
        backend.feed(ids.expand(4, -1), [21, 21, 9, 2], crowd)
        assert torch.equal(backend.logits(seen[0, -1:]), logits)
    for one, other, many in zip(fed, stepped, crowd, strict=True):
        assert torch.equal(one, other)
        assert torch.equal(one[0], many[1])
