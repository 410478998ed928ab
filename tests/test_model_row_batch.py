"""Row batch: each row is decoded as if it were alone, by every backend."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from decoders import DECODERS, decoder_by

from model.checkpoint import Checkpoint
from model.config import ModelConfig
from model.decoding.decode_loop import Outputs
from model.decoding.decoder import Decoder
from model.decoding.generation import Generation
from model.decoding.prefill import Prefill, feed
from model.decoding.reference_driver import generate, next_piece
from model.decoding.row_batch import RowBatch, Sampled
from model.network import Network
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, UNK_ID, Tokenizer

PROMPT = "The sea was gray, the sky was low,\n"


@pytest.fixture(scope="module", params=DECODERS)
def decoder(request: pytest.FixtureRequest, tiny: Checkpoint) -> Decoder:
    return decoder_by(request.param, tiny.network)


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
        piece, is_finite = next_piece(tokenizer, generation, batch.step(count), row)
        assert is_finite
        text += piece.text
        if generation.is_finished:
            break
        left = [each for each in range(len(batch)) if each == row or each % 3 != count % 3]
        batch.keep_rows(left)
        row = left.index(row)
        for _ in range(count % 4):
            join(batch, decoder, next(others))
    alone = generate(decoder, tokenizer, PROMPT, generation_of(tokenizer, PROMPT, **fields).params)
    assert text == "".join(piece.text for piece in alone)


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize(
    ("layers", "hidden", "rows"),
    [(2, 25, 64), (1, 100, 64), (1, 25, 3), (2, 512, 40), (2, 512, 65)],
    ids=str,
)
def test_no_bit_of_a_state_depends_on_the_rows_beside_it_or_on_threads(
    name: str, layers: int, hidden: int, rows: int
) -> None:
    """The states themselves: rounding hides in the logits for a thousand steps what will differ.

    Widths that fill no vector, and calls that torch would share out between its threads.
    """
    config = ModelConfig(vocab_size=41, num_layers=layers, hidden_size=hidden, embedding_size=8)
    assert_alone_as_in_a_crowd(name, config, rows)


@pytest.mark.parametrize(
    "extras", [{"layer_norm": True}, {"skip": True}, {"mogrifier_rounds": 3}], ids=str
)
def test_nor_does_it_in_a_network_that_is_more_than_a_stack(extras: dict[str, Any]) -> None:
    fields = {"vocab_size": 41, "hidden_size": 100, "embedding_size": 8, **extras}
    assert_alone_as_in_a_crowd("fp32", ModelConfig.model_validate(fields), 20)


def assert_alone_as_in_a_crowd(name: str, config: ModelConfig, rows: int) -> None:
    torch.manual_seed(1)
    network = Network(config).initialise().eval()
    ids = torch.randint(2, 40, (6, rows))

    def states(decoder: Decoder, columns: slice) -> list[torch.Tensor]:
        state = decoder.zero_state(len(ids[0, columns]))
        with torch.inference_mode():
            for step in ids.to(decoder.device):
                logits = decoder.backend.step(step[columns], state)
        return [*state, logits]

    for threads in (1, 2, 3, 4):
        torch.set_num_threads(threads)
        decoder = decoder_by(name, network)
        together = states(decoder, slice(None))
        for row in (0, 1, rows // 2, rows - 1):
            # The int8 backend promises it for any number of threads, fp32 for one at a time.
            torch.set_num_threads(1 if decoder.backend_name == "int8" else threads)
            alone = states(decoder, slice(row, row + 1))
            pairs = zip(together, alone, strict=True)
            assert all(torch.equal(crowd[row], single[0]) for crowd, single in pairs)


def spoilt(decoder: Decoder) -> list[torch.Tensor]:
    """State that no text can lead to: every float of it is not a number."""
    return [
        part.fill_(torch.nan) if part.is_floating_point() else part
        for part in decoder.zero_state(1)
    ]


def test_a_row_whose_state_is_not_finite_fails_alone(
    decoder: Decoder, tokenizer: Tokenizer
) -> None:
    if decoder.backend_name == "int8":
        pytest.skip("a byte is always a number: a spoilt cell state never reaches the logits")
    clean, sick = RowBatch(decoder), RowBatch(decoder)
    for batch in (clean, sick):
        join(batch, decoder, generation_of(tokenizer, PROMPT))
    sick.join(generation_of(tokenizer, PROMPT), spoilt(decoder))
    for _ in range(5):
        left, right = clean.step(2), sick.step(2)
        assert left.finite_ids[0] == right.finite_ids[0]
        assert [len(ids) for ids in right.finite_ids] == [2, 0]


def test_what_came_before_the_first_step_that_was_not_finite_is_kept(
    tokenizer: Tokenizer,
) -> None:
    ids = tokenizer.encode("abcdefghi")
    sampled = Sampled(
        Outputs(
            ids=torch.tensor(ids).view(3, 3),
            is_finite=torch.tensor([[True, True, False], [True, False, True], [True] * 3]),
            logprobs=torch.empty(3, 3, 0),
            top_ids=torch.empty(3, 3, 0, dtype=torch.int64),
        )
    )
    expected = [("adg", True), ("b", False), ("", False)]
    for row, (text, is_finite) in enumerate(expected):
        piece, can_go_on = next_piece(tokenizer, generation_of(tokenizer, ""), sampled, row)
        assert (piece.text, piece.num_tokens, can_go_on) == (text, len(text), is_finite)
    ended = generation_of(tokenizer, "", max_tokens=1)
    assert next_piece(tokenizer, ended, sampled, 1)[1]


def test_joining_changes_nothing_that_was_chosen_before(
    decoder: Decoder, tokenizer: Tokenizer
) -> None:
    batch = RowBatch(decoder)
    join(batch, decoder, generation_of(tokenizer, PROMPT))
    first = batch.step()
    chosen = first.finite_ids
    join(batch, decoder, generation_of(tokenizer, "z"))
    assert len(batch.step().finite_ids) == 2
    assert first.finite_ids == chosen


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
    assert batch.step(2).logprobs == [[[]], [[]]]
    wanted = generation_of(tokenizer, "O", logprobs=2)
    join(batch, decoder, wanted)
    sampled = batch.step(3)
    piece, _ = next_piece(tokenizer, wanted, sampled, 1)
    assert [len(entry.top) for entry in piece.logprobs] == [2, 2, 2]
    assert "".join(entry.token for entry in piece.logprobs) == piece.text


def batch_of(decoder: Decoder, tokenizer: Tokenizer, *requests: dict[str, Any]) -> RowBatch:
    batch = RowBatch(decoder)
    for fields in requests:
        join(batch, decoder, generation_of(tokenizer, PROMPT, **fields))
    return batch


def test_forked_rows_go_on_as_texts_with_their_seeds_would(
    decoder: Decoder, tokenizer: Tokenizer
) -> None:
    batch = batch_of(decoder, tokenizer, {"seed": 9}, {"seed": 4})
    batch.fork([1, 1, 1], [4, 5, 6])
    forked = [step for _ in range(3) for step in batch.step(8).outputs.ids.tolist()]
    for row, seed in enumerate((4, 5, 6)):
        alone = batch_of(decoder, tokenizer, {"seed": seed})
        ids = [step for _ in range(3) for step in alone.step(8).outputs.ids.tolist()]
        assert [step[row] for step in forked] == [step[0] for step in ids]


def test_tokens_that_the_caller_takes_count_as_sampled(
    decoder: Decoder, tokenizer: Tokenizer
) -> None:
    """Taking what would have been sampled leaves all as it would have been, penalties included."""
    fields = [{"frequency_penalty": 1.5}, {"temperature": 1.3, "repetition_penalty": 2.0}]
    sampled, taken = (batch_of(decoder, tokenizer, *fields) for _ in range(2))
    for _ in range(6):
        ids = sampled.step().outputs.ids[0]
        assert taken.advance().shape == (2, decoder.vocab_size)
        taken.take(ids.tolist())
    assert torch.equal(sampled.step(8).outputs.ids, taken.step(8).outputs.ids)


def test_the_logits_for_the_caller_are_those_of_sampling(
    decoder: Decoder, tokenizer: Tokenizer
) -> None:
    chosen = batch_of(decoder, tokenizer, {"temperature": 0}, {"temperature": 0}).step()
    logits = batch_of(decoder, tokenizer, {}, {}).advance().clone()
    logits[:, [UNK_ID, BOS_ID]] = -torch.inf  # never sampled, and not before min_tokens
    assert torch.equal(logits.argmax(dim=1), chosen.outputs.ids[0])


def test_a_bias_holds_for_its_steps_alone(decoder: Decoder, tokenizer: Tokenizer) -> None:
    plain, biased = (batch_of(decoder, tokenizer, {"seed": 1}, {"seed": 2}) for _ in range(2))
    first = plain.step(4).outputs.ids
    only = torch.full((2, decoder.vocab_size), -torch.inf, dtype=torch.float64)
    only[0, 7] = only[1, 8] = 0.0
    steered = biased.step(4, only.to(decoder.device)).outputs.ids
    assert steered.tolist() == [[7, 8]] * 4
    fresh = batch_of(decoder, tokenizer, {"seed": 1}, {"seed": 2})
    for _ in range(4):
        fresh.advance()
        fresh.take([7, 8])
    assert torch.equal(biased.step(8).outputs.ids, fresh.step(8).outputs.ids)
    assert not torch.equal(first, steered)
