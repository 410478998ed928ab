"""Prefill: the state before the last id, however prompts were cut into chunks and fed together."""

from pathlib import Path

import pytest
import torch
from decoders import DECODERS, decoder_by
from torch import Tensor

from model import checkpoint as checkpoints
from model.config import Cell, ModelConfig
from model.decoding.decoder import CHUNK, Decoder, decoder_of
from model.decoding.prefill import Prefill, feed
from model.network import Network

LENGTHS = [1, 2, CHUNK, CHUNK + 1, CHUNK + 2, 3 * CHUNK + 7]


@pytest.fixture(scope="module", params=DECODERS)
def decoder(request: pytest.FixtureRequest, tiny_checkpoint: Path) -> Decoder:
    return decoder_by(request.param, checkpoints.load(tiny_checkpoint).network)


def ids_of(length: int, first: int = 0) -> list[int]:
    return [1, *(3 + (first + i * i) % 40 for i in range(length - 1))]


def fed(decoder: Decoder, prefill: Prefill) -> list[Tensor]:
    while not prefill.is_done:
        feed(decoder, [prefill])
    return prefill.state


def assert_same_bits(left: list[Tensor], right: list[Tensor]) -> None:
    assert len(left) == len(right)
    assert all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("length", LENGTHS)
def test_the_fp32_state_is_that_of_the_network_before_the_last_id(cell: Cell, length: int) -> None:
    torch.manual_seed(0)
    network = Network(ModelConfig(cell=cell, vocab_size=50, hidden_size=16)).initialise().eval()
    state = network.zero_state(1)
    with torch.inference_mode():
        for token_id in ids_of(length)[:-1]:
            _, state = network.step(torch.tensor([token_id]), state)
    decoder = decoder_of(network, "fp32")
    got = fed(decoder, Prefill(decoder, ids_of(length)))
    torch.testing.assert_close(got[0][0], state.hidden[:, 0], rtol=1e-4, atol=1e-6)
    if state.cell is not None:
        torch.testing.assert_close(got[1][0], state.cell[:, 0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("length", "turns"), [(1, 0), (2, 1), (CHUNK + 1, 1), (CHUNK + 2, 2)])
def test_a_prompt_is_fed_a_chunk_at_a_time(decoder: Decoder, length: int, turns: int) -> None:
    prefill, count = Prefill(decoder, ids_of(length)), 0
    while not prefill.is_done:
        feed(decoder, [prefill])
        count += 1
    assert count == turns


def test_prompts_fed_together_leave_what_each_leaves_alone(decoder: Decoder) -> None:
    crowd = [Prefill(decoder, ids_of(length, length)) for length in (2, 90, 33, 34, 5, 33, 32, 64)]
    while waiting := [prefill for prefill in crowd if not prefill.is_done]:
        feed(decoder, waiting[:5])
    for prefill in crowd:
        assert_same_bits(prefill.state, fed(decoder, Prefill(decoder, prefill.ids)))


@pytest.mark.parametrize("cut", [CHUNK, 2 * CHUNK, 3 * CHUNK + 6])
def test_a_state_that_was_kept_stands_for_what_was_fed(decoder: Decoder, cut: int) -> None:
    """Chunks from the start, or everything but the last id: a cache hit gives a miss's bits."""
    ids = ids_of(3 * CHUNK + 7)
    kept = fed(decoder, Prefill(decoder, ids[: cut + 1]))
    before = [part.clone() for part in kept]
    resumed = fed(decoder, Prefill(decoder, ids, fed=cut, state=kept))
    assert_same_bits(resumed, fed(decoder, Prefill(decoder, ids)))
    assert_same_bits(kept, before)


def test_the_last_cut_is_where_less_than_a_chunk_is_left(decoder: Decoder) -> None:
    prefill, cuts = Prefill(decoder, ids_of(2 * CHUNK + 5)), []
    while not prefill.is_done:
        feed(decoder, [prefill])
        cuts.append((prefill.fed, prefill.is_at_last_cut))
    assert cuts == [(CHUNK, False), (2 * CHUNK, True), (2 * CHUNK + 4, False)]
