"""Decoding gives the same bits for the same request, whatever runs beside it."""

from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import torch

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.config import Cell, ModelConfig
from model.decoding import BLOCK_ROWS, CHUNK, Prefill, RowBlock, generate
from model.errors import ModelError, ParameterError
from model.generation import Generation, Piece
from model.network import Network, State
from model.parameters import SamplingParams
from model.tokenizer import UNK_ID

PROMPT = "The sea was gray, the sky was low,\n"


@pytest.fixture(autouse=True)
def one_thread(torch_as_before: None) -> None:
    """Products so small cost least with one thread, above all beside other work."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def loaded(tiny_checkpoint: Path) -> Checkpoint:
    return checkpoints.load(tiny_checkpoint)


def pieces_of(loaded: Checkpoint, prompt: str = PROMPT, **fields: object) -> list[Piece]:
    params = SamplingParams.checked(**{"seed": 5, "max_tokens": 80, **fields})
    return list(generate(loaded.network, loaded.tokenizer, prompt, params))


def text_of(loaded: Checkpoint, prompt: str = PROMPT, **fields: object) -> str:
    return "".join(piece.text for piece in pieces_of(loaded, prompt, **fields))


def test_the_same_seed_gives_the_same_text(loaded: Checkpoint) -> None:
    assert text_of(loaded, seed=5) == text_of(loaded, seed=5)


def test_another_seed_gives_another_text(loaded: Checkpoint) -> None:
    assert len({text_of(loaded, seed=seed) for seed in range(10)}) == 10


def test_without_a_seed_each_text_is_another(loaded: Checkpoint) -> None:
    assert text_of(loaded, seed=None) != text_of(loaded, seed=None)


def test_torchs_own_generator_is_neither_read_nor_moved(loaded: Checkpoint) -> None:
    torch.manual_seed(1)
    before, first = torch.get_rng_state(), text_of(loaded)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert text_of(loaded) == first


@pytest.mark.parametrize("max_tokens", [1, 2, 33])
def test_a_text_has_as_many_tokens_as_were_asked_for(loaded: Checkpoint, max_tokens: int) -> None:
    pieces = pieces_of(loaded, max_tokens=max_tokens, min_tokens=max_tokens)
    assert len(pieces) == len("".join(piece.text for piece in pieces)) == max_tokens
    assert [piece.finish_reason for piece in pieces] == [None] * (max_tokens - 1) + ["length"]


def test_no_tokens_is_one_empty_last_piece(loaded: Checkpoint) -> None:
    assert pieces_of(loaded, max_tokens=0) == [Piece(text="", finish_reason="length")]


def test_a_document_does_not_end_before_min_tokens(loaded: Checkpoint) -> None:
    """Untrained and hot, `<s>` is as likely as any: most texts would end early."""
    hot: dict[str, Any] = {"temperature": 10, "max_tokens": 400}
    lengths = [len(pieces_of(loaded, seed=seed, **hot)) for seed in range(5)]
    assert min(lengths) < 300
    assert all(len(pieces_of(loaded, seed=s, min_tokens=300, **hot)) >= 300 for s in range(5))


def test_a_stop_string_cuts_the_text_that_would_have_been(loaded: Checkpoint) -> None:
    whole = text_of(loaded)
    stop = whole[40:43]
    pieces = pieces_of(loaded, stop=[stop])
    assert "".join(piece.text for piece in pieces) == whole[: whole.index(stop)]
    assert (pieces[-1].finish_reason, pieces[-1].stop_reason) == ("stop", stop)


def test_unk_is_never_written(loaded: Checkpoint) -> None:
    assert "\ufffd" not in text_of(loaded, temperature=10, max_tokens=500, min_tokens=500)


def test_the_empty_prompt_begins_a_document(loaded: Checkpoint) -> None:
    assert len(text_of(loaded, "", min_tokens=80)) == 80


def test_the_prompt_matters(loaded: Checkpoint) -> None:
    assert text_of(loaded, "Rose", temperature=0.1) != text_of(loaded, "moon", temperature=0.1)


def test_a_bias_no_token_can_honour_is_refused(loaded: Checkpoint) -> None:
    with pytest.raises(ParameterError, match="logit_bias"):
        pieces_of(loaded, logit_bias={"\U0001f600": 1})


def test_logits_that_are_not_finite_are_an_error_of_the_model(loaded: Checkpoint) -> None:
    network = Network(loaded.network.config).initialise().eval()
    with torch.no_grad():
        network.output.bias[3] = torch.nan
    with pytest.raises(ModelError, match="not finite"):
        list(generate(network, loaded.tokenizer, PROMPT, SamplingParams(seed=1)))


# Log probabilities


def test_logprobs_are_the_log_softmax_of_the_logits(loaded: Checkpoint) -> None:
    network, tokenizer = loaded.network, loaded.tokenizer
    pieces = pieces_of(loaded, logprobs=3, max_tokens=20, min_tokens=20, temperature=0.5, top_k=5)
    ids = tokenizer.encode_prompt(PROMPT).ids + tokenizer.encode("".join(p.text for p in pieces))
    with torch.inference_mode():
        logits, _ = network(torch.tensor([ids[:-1]]), network.zero_state(1))
    expected = torch.log_softmax(logits[0].double(), dim=-1)[-20:]
    for row, token_id, piece in zip(expected, ids[-20:], pieces, strict=True):
        (logprob,) = piece.logprobs
        assert logprob.token == tokenizer.token_text(token_id)
        assert logprob.logprob == pytest.approx(float(row[token_id]), abs=1e-4)
        values = [value for _, value in logprob.top]
        assert values == pytest.approx(row.topk(3).values.tolist(), abs=1e-4)


def test_no_alternatives_may_be_asked_for(loaded: Checkpoint) -> None:
    assert all(len(piece.logprobs[0].top) == 0 for piece in pieces_of(loaded, logprobs=0))
    assert all(piece.logprobs == () for piece in pieces_of(loaded))


# Feeding a prompt


def prefilled(network: Network, ids: list[int]) -> State:
    prefill = Prefill(network, ids)
    while not prefill.is_done:
        prefill.advance()
    return prefill.state


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("length", [1, 2, CHUNK, CHUNK + 1, CHUNK + 2, 3 * CHUNK + 7])
def test_prefill_leaves_the_state_before_the_last_id(cell: Cell, length: int) -> None:
    torch.manual_seed(0)
    network = Network(ModelConfig(cell=cell, vocab_size=9, hidden_size=16)).initialise().eval()
    ids = [1, *(i % 9 for i in range(length - 1))]
    state = network.zero_state(1)
    with torch.inference_mode():
        for token_id in ids[:-1]:
            _, state = network.step(torch.tensor([token_id]), state)
    got = prefilled(network, ids)
    torch.testing.assert_close(got.hidden, state.hidden, rtol=1e-4, atol=1e-6)
    if got.cell is not None:
        torch.testing.assert_close(got.cell, state.cell, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("length", "advances"), [(1, 0), (2, 1), (CHUNK + 1, 1), (CHUNK + 2, 2)])
def test_a_prompt_is_fed_a_chunk_at_a_time(loaded: Checkpoint, length: int, advances: int) -> None:
    prefill, count = Prefill(loaded.network, [1] * length), 0
    while not prefill.is_done:
        prefill.advance()
        count += 1
    assert count == advances


def test_a_prompt_longer_than_a_chunk_is_continued(loaded: Checkpoint, anthology: str) -> None:
    prompt = anthology[: 5 * CHUNK + 3]
    assert text_of(loaded, prompt) == text_of(loaded, prompt)
    assert len(text_of(loaded, prompt, min_tokens=80)) == 80


# Rows of a block


def generation_of(loaded: Checkpoint, prompt: str, **fields: object) -> Generation:
    params = SamplingParams.checked(**{"seed": 5, "max_tokens": 40, "min_tokens": 40, **fields})
    return Generation(loaded.tokenizer, loaded.tokenizer.encode_prompt(prompt), params)


def join(block: RowBlock, loaded: Checkpoint, row: int, generation: Generation) -> None:
    block.join(row, generation, prefilled(loaded.network, generation.prompt.ids))


NOISY: list[dict[str, Any]] = [
    {"temperature": 0},
    {"top_k": 3, "top_p": 0.5, "typical_p": 0.4},
    {"frequency_penalty": 2.0, "repetition_penalty": 5.0},
    {"temperature": 10, "min_p": 0.3},
]


def noise(loaded: Checkpoint) -> Iterator[Generation]:
    for seed in range(1000):
        fields = NOISY[seed % len(NOISY)]
        yield generation_of(loaded, "Noise " * (seed % 30), seed=seed, **fields)


REQUESTS: list[dict[str, Any]] = [
    {},
    {"temperature": 0},
    {"temperature": 1.5, "repetition_penalty": 1.2, "top_p": 0.9, "penalty_window": 8},
]


@pytest.mark.parametrize("fields", REQUESTS, ids=str)
@pytest.mark.parametrize("row", [0, 1, 7, BLOCK_ROWS - 1])
def test_any_row_beside_any_neighbours_writes_what_generate_writes(
    loaded: Checkpoint, row: int, fields: dict[str, Any]
) -> None:
    block, others = RowBlock(loaded.network), noise(loaded)
    neighbours = cycle(other for other in range(BLOCK_ROWS) if other != row)
    generation, text = generation_of(loaded, PROMPT, **fields), ""
    for _ in range(3):
        join(block, loaded, next(neighbours), next(others))
        block.step()
    join(block, loaded, row, generation)
    while not generation.is_finished:
        text += generation.accept(block.step().id_list[row])
        block.leave(next(neighbours))
        join(block, loaded, next(neighbours), next(others))
    assert text == text_of(loaded, max_tokens=40, min_tokens=40, **fields)


@pytest.mark.parametrize("hidden", [33, 320])
def test_logprobs_do_not_differ_in_one_bit_beside_neighbours(
    make_checkpoint: Callable[..., Path], tmp_path: Path, hidden: int
) -> None:
    torch.set_num_threads(2)
    loaded = checkpoints.load(make_checkpoint(tmp_path / "wide", hidden=hidden))
    alone, crowded, others = RowBlock(loaded.network), RowBlock(loaded.network), noise(loaded)
    join(alone, loaded, 2, generation_of(loaded, PROMPT))
    for row in range(BLOCK_ROWS):
        join(crowded, loaded, row, next(others))
    join(crowded, loaded, 11, generation_of(loaded, PROMPT))
    for _ in range(10):
        assert torch.equal(alone.step().logprobs[2], crowded.step().logprobs[11])


def test_a_row_whose_state_is_not_finite_fails_alone(loaded: Checkpoint) -> None:
    clean, spoilt = RowBlock(loaded.network), RowBlock(loaded.network)
    for block in (clean, spoilt):
        join(block, loaded, 0, generation_of(loaded, PROMPT))
    broken = loaded.network.zero_state(1)
    broken.hidden.fill_(torch.nan)
    spoilt.join(1, generation_of(loaded, PROMPT), broken)
    for _ in range(10):
        left, right = clean.step(), spoilt.step()
        assert right.finite_list[:2] == [True, False]
        assert left.id_list[0] == right.id_list[0]


def test_a_row_that_failed_can_be_used_again(loaded: Checkpoint) -> None:
    block, broken = RowBlock(loaded.network), loaded.network.zero_state(1)
    broken.hidden.fill_(torch.nan)
    block.join(4, generation_of(loaded, "O"), broken)
    block.step()
    block.leave(4)
    generation, text = generation_of(loaded, PROMPT), ""
    join(block, loaded, 4, generation)
    while not generation.is_finished:
        text += generation.accept(block.step().id_list[4])
    assert text == text_of(loaded, max_tokens=40, min_tokens=40)


def test_joining_a_row_changes_nothing_that_was_chosen_before(loaded: Checkpoint) -> None:
    block = RowBlock(loaded.network)
    join(block, loaded, 0, generation_of(loaded, PROMPT))
    sampled = block.step()
    chosen = sampled.ids.tolist()
    for row in range(1, BLOCK_ROWS):
        join(block, loaded, row, generation_of(loaded, "z"))
    assert sampled.id_list == chosen


def test_the_state_that_a_row_joined_with_is_not_changed(loaded: Checkpoint) -> None:
    generation = generation_of(loaded, PROMPT)
    state = prefilled(loaded.network, generation.prompt.ids)
    before = state.hidden.clone()
    block = RowBlock(loaded.network)
    block.join(0, generation, state)
    block.step()
    assert torch.equal(state.hidden, before)


def test_idle_rows_choose_possible_ids(loaded: Checkpoint) -> None:
    block = RowBlock(loaded.network)
    for _ in range(20):
        sampled = block.step()
        assert all(sampled.finite_list)
        assert UNK_ID not in sampled.id_list
