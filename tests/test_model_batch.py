"""Rows that are written together: each as if it were alone, on every path."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from decoders import DECODERS, decoder_by

from model import checkpoint as checkpoints
from model.batch import RowBatch, Sampled
from model.checkpoint import Checkpoint
from model.decoding import generate, next_piece
from model.generation import Generation
from model.parameters import SamplingParams
from model.paths import Decoder
from model.prefill import Prefill, feed
from model.tokenizer import Tokenizer

PROMPT = "The sea was gray, the sky was low,\n"


@pytest.fixture(autouse=True)
def one_thread(torch_as_before: None) -> None:
    """Products so small cost least with one thread, above all beside other work."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def checkpoint(tiny_checkpoint: Path) -> Checkpoint:
    return checkpoints.load(tiny_checkpoint)


@pytest.fixture(scope="module", params=DECODERS)
def decoder(request: pytest.FixtureRequest, checkpoint: Checkpoint) -> Decoder:
    return decoder_by(request.param, checkpoint.network)


def generation_of(tokenizer: Tokenizer, prompt: str, **fields: object) -> Generation:
    params = SamplingParams.checked(**{"seed": 5, "max_tokens": 40, "min_tokens": 40, **fields})
    return Generation(tokenizer, tokenizer.encode_prompt(prompt), params)


def join(batch: RowBatch, decoder: Decoder, generation: Generation) -> None:
    prefill = Prefill(decoder, generation.prompt.ids)
    while not prefill.is_done:
        feed(decoder, [prefill])
    batch.join(generation, prefill.state)


NOISY: list[dict[str, Any]] = [
    {"temperature": 0},
    {"top_k": 3, "top_p": 0.5, "typical_p": 0.4},
    {"frequency_penalty": 2.0, "repetition_penalty": 5.0},
    {"temperature": 10, "min_p": 0.3, "logprobs": 2},
]


def noise(tokenizer: Tokenizer) -> Iterator[Generation]:
    for seed in range(1000):
        fields = NOISY[seed % len(NOISY)]
        yield generation_of(tokenizer, "Noise " * (seed % 9), seed=seed, **fields)


REQUESTS: list[dict[str, Any]] = [
    {},
    {"temperature": 0},
    {"temperature": 1.5, "repetition_penalty": 1.2, "top_p": 0.9, "penalty_window": 8},
]


@pytest.mark.parametrize("fields", REQUESTS, ids=str)
def test_a_row_in_a_changing_crowd_writes_what_generate_writes(
    decoder: Decoder, tokenizer: Tokenizer, fields: dict[str, Any]
) -> None:
    """Neighbours join behind it, and leave before and behind it; steps come in any number."""
    batch, others = RowBatch(decoder), noise(tokenizer)
    for _ in range(3):
        join(batch, decoder, next(others))
    batch.step(2)
    generation, text, row = generation_of(tokenizer, PROMPT, **fields), "", 3
    join(batch, decoder, generation)
    for count in (1, 3, 2, 5, 1, 4, 7, 8, 16):
        piece = next_piece(tokenizer, generation, batch.step(count), row)
        assert piece is not None
        text += piece.text
        if generation.is_finished:
            break
        left = [each for each in range(len(batch)) if each == row or each % 3 != count % 3]
        batch.keep(left)
        row = left.index(row)
        for _ in range(count % 4):
            join(batch, decoder, next(others))
    alone = generate(decoder, tokenizer, PROMPT, generation_of(tokenizer, PROMPT, **fields).params)
    assert text == "".join(piece.text for piece in alone)


@pytest.mark.parametrize("hidden", [33, 320])
@pytest.mark.parametrize("name", DECODERS)
def test_logprobs_do_not_differ_in_one_bit_beside_neighbours_or_with_more_threads(
    make_checkpoint: Callable[..., Path], tmp_path: Path, hidden: int, name: str
) -> None:
    loaded = checkpoints.load(make_checkpoint(tmp_path / "wide", hidden=hidden))
    decoder, others = decoder_by(name, loaded.network), noise(loaded.tokenizer)
    alone, crowded = RowBatch(decoder), RowBatch(decoder)
    mine = generation_of(loaded.tokenizer, PROMPT, logprobs=1)
    join(alone, decoder, mine)
    for _ in range(70):  # more than the rows of one block, on any path
        join(crowded, decoder, next(others))
    join(crowded, decoder, mine)
    for threads in (1, 2) * 3:
        torch.set_num_threads(1)
        expected = alone.step()
        torch.set_num_threads(threads)
        assert torch.equal(expected.logprobs[:, 0], crowded.step().logprobs[:, -1])


def spoilt(decoder: Decoder) -> list[torch.Tensor]:
    """A state that no text can lead to: whatever of it is a float is not a number."""
    return [
        part.fill_(torch.nan) if part.is_floating_point() else part
        for part in decoder.zero_state(1)
    ]


def test_a_row_whose_state_is_not_finite_fails_alone(
    decoder: Decoder, tokenizer: Tokenizer
) -> None:
    if decoder.path_name == "int8":
        pytest.skip("a byte is always a number: a spoilt cell state never reaches the logits")
    clean, sick = RowBatch(decoder), RowBatch(decoder)
    for batch in (clean, sick):
        join(batch, decoder, generation_of(tokenizer, PROMPT))
    sick.join(generation_of(tokenizer, PROMPT), spoilt(decoder))
    for _ in range(5):
        left, right = clean.step(2), sick.step(2)
        assert left.sound_ids[0] == right.sound_ids[0]
        assert [len(ids) for ids in right.sound_ids] == [2, 0]


def test_ids_count_up_to_the_first_step_that_was_not_finite(tokenizer: Tokenizer) -> None:
    sampled = Sampled(
        ids=torch.tensor([[4, 5, 6], [7, 8, 9], [10, 11, 12]]),
        is_finite=torch.tensor([[True, True, False], [True, False, True], [True, True, True]]),
        logprobs=torch.empty(0),
    )
    assert sampled.sound_ids == [[4, 7, 10], [5], []]
    ended, cut = generation_of(tokenizer, "", max_tokens=1), generation_of(tokenizer, "")
    assert next_piece(tokenizer, ended, sampled, 1) is not None
    assert next_piece(tokenizer, cut, sampled, 1) is None


def test_joining_changes_nothing_that_was_chosen_before(
    decoder: Decoder, tokenizer: Tokenizer
) -> None:
    batch = RowBatch(decoder)
    join(batch, decoder, generation_of(tokenizer, PROMPT))
    first = batch.step()
    chosen = first.sound_ids
    join(batch, decoder, generation_of(tokenizer, "z"))
    assert batch.step().ids.shape == (1, 2)
    assert first.sound_ids == chosen


def test_the_state_that_a_row_joined_with_is_not_changed(
    decoder: Decoder, tokenizer: Tokenizer
) -> None:
    """So that several texts can fork one prompt."""
    prefill = Prefill(decoder, generation_of(tokenizer, "Rose").prompt.ids)
    feed(decoder, [prefill])
    before = [part.clone() for part in prefill.state]
    batch = RowBatch(decoder)
    for seed in (5, 6):
        batch.join(generation_of(tokenizer, "Rose", seed=seed), prefill.state)
    batch.step(4)
    assert all(torch.equal(a, b) for a, b in zip(prefill.state, before, strict=True))


def test_log_probabilities_are_given_only_where_a_row_wants_them(
    decoder: Decoder, tokenizer: Tokenizer
) -> None:
    batch = RowBatch(decoder)
    join(batch, decoder, generation_of(tokenizer, "O"))
    assert batch.step(2).logprobs.numel() == 0
    wanted = generation_of(tokenizer, "O", logprobs=2)
    join(batch, decoder, wanted)
    sampled = batch.step(3)
    piece = next_piece(tokenizer, wanted, sampled, 1)
    assert piece is not None
    assert [len(entry.top) for entry in piece.logprobs] == [2, 2, 2]
    assert "".join(entry.token for entry in piece.logprobs) == piece.text
