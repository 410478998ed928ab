"""Prompt scores: log probabilities of a given text are those that writing it would tell."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from decoders import DECODERS, decoder_by

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.decoding.decoder import CHUNK, FED_TOGETHER, Decoder, decoder_of
from model.decoding.generation import TokenLogprob
from model.decoding.prefill import Prefill, feed
from model.decoding.prompt_scores import PromptScores
from model.decoding.reference_driver import generate
from model.parameters import SamplingParams
from model.scoring import surprisals
from model.tokenizer import Tokenizer

PROMPTS = ["", "O", "The sea was gray, the sky was low,\nand caf\u00e9 \u6f22"]


@pytest.fixture(scope="module", params=DECODERS)
def decoder(request: pytest.FixtureRequest, tiny_checkpoint: Path) -> Decoder:
    return decoder_by(request.param, checkpoints.load(tiny_checkpoint).network)


def scoring(decoder: Decoder, tokenizer: Tokenizer, text: str, alternatives: int = 3) -> Prefill:
    ids = tokenizer.encode_prompt(text).ids
    return Prefill(decoder, ids, scores=PromptScores(tokenizer, ids, alternatives))


def scored(prefill: Prefill) -> list[TokenLogprob]:
    assert prefill.scores is not None
    return list(prefill.scores)


def scores_of(
    decoder: Decoder, tokenizer: Tokenizer, text: str, alternatives: int = 3
) -> list[TokenLogprob]:
    prefill = scoring(decoder, tokenizer, text, alternatives)
    while not prefill.is_done:
        feed(decoder, [prefill])
    return scored(prefill)


def numbers(entries: list[TokenLogprob]) -> list[list[float]]:
    return [[entry.logprob, *(value for _, value in entry.top)] for entry in entries]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_a_text_scores_what_was_told_while_it_was_written(
    decoder: Decoder, tokenizer: Tokenizer, prompt: str
) -> None:
    """To the bit where sums are exact. In float32 a chunk that is read at once is not a step."""
    params = SamplingParams(max_tokens=150, min_tokens=150, seed=4, temperature=1.2, logprobs=3)
    pieces = list(generate(decoder, tokenizer, prompt, params))
    told = [entry for piece in pieces for entry in piece.logprobs]
    text = prompt + "".join(piece.text for piece in pieces)
    again = scores_of(decoder, tokenizer, text)[-len(told) :]
    assert len(told) > 100
    if decoder.backend_name == "int8":
        assert again == told
    assert [entry.token for entry in again] == [entry.token for entry in told]
    torch.testing.assert_close(
        torch.tensor(numbers(again)), torch.tensor(numbers(told)), rtol=0, atol=2e-5
    )


def test_scores_of_a_crowd_are_those_of_each_alone(
    decoder: Decoder, tokenizer: Tokenizer, anthology: str
) -> None:
    lengths = (1, 90, 33, 34, 5, 32, 31, 64, 200)
    texts = [anthology[50 * length :][:length] for length in lengths]
    crowd = [scoring(decoder, tokenizer, text) for text in texts]
    while waiting := [prefill for prefill in crowd if not prefill.is_done]:
        feed(decoder, waiting[:5])
    for text, prefill in zip(texts, crowd, strict=True):
        assert scored(prefill) == scores_of(decoder, tokenizer, text)
        assert len(scored(prefill)) == len(text)


@pytest.mark.parametrize("length", [0, 1, CHUNK, 3 * CHUNK + 7])
def test_scoring_leaves_the_state_that_feeding_leaves(
    decoder: Decoder, tokenizer: Tokenizer, anthology: str, length: int
) -> None:
    asked = scoring(decoder, tokenizer, anthology[:length])
    plain = Prefill(decoder, asked.ids)
    for prefill in (asked, plain):
        while not prefill.is_done:
            feed(decoder, [prefill])
    pairs = zip(asked.state, plain.state, strict=True)
    assert all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize("alternatives", [0, 1, 20])
def test_alternatives_change_no_number(
    decoder: Decoder, tokenizer: Tokenizer, anthology: str, alternatives: int
) -> None:
    most = scores_of(decoder, tokenizer, anthology[:100], 20)
    fewer = [
        replace(entry, top=entry.top[:alternatives], top_ids=entry.top_ids[:alternatives])
        for entry in most
    ]
    assert scores_of(decoder, tokenizer, anthology[:100], alternatives) == fewer


def test_the_sum_is_the_surprisal_of_the_reference(
    decoder: Decoder, tiny: Checkpoint, anthology: str
) -> None:
    prefill = scoring(decoder, tiny.tokenizer, anthology[:500])
    while not prefill.is_done:
        feed(decoder, [prefill])
    losses, _ = surprisals(tiny.network, torch.tensor([prefill.ids]))
    assert prefill.scores is not None
    tolerance = 1e-6 if decoder.backend_name == "fp32" else 1e-3
    assert prefill.scores.nats == pytest.approx(float(losses.double().sum()), rel=tolerance)
    told = [-entry.logprob for entry in prefill.scores]
    place = 2e-5 if decoder.backend_name == "fp32" else 0.03
    assert told == pytest.approx(losses[0].tolist(), abs=place)


def test_logits_that_are_not_finite_make_it_unsound_and_nobody_else(
    tiny_checkpoint: Path, tokenizer: Tokenizer
) -> None:
    network = checkpoints.load(tiny_checkpoint).network
    network.embedding.weight.data[tokenizer.encode("z")] = torch.inf
    decoder = decoder_of(network, "fp32")
    sick, sound = scoring(decoder, tokenizer, "azure"), scoring(decoder, tokenizer, "a rose")
    feed(decoder, [sick, sound])
    assert sick.scores is not None
    assert sound.scores is not None
    assert (sick.scores.is_finite, sound.scores.is_finite) == (False, True)


def test_a_large_vocabulary_is_scored_few_at_a_time(tiny: Checkpoint) -> None:
    """Or one call would hold up the texts that are being written."""
    decoder = decoder_of(tiny.network)
    small = replace(decoder, fed_together=FED_TOGETHER)
    assert small.scored_together == FED_TOGETHER
    assert replace(small, vocab_size=8569).scored_together == 1
    assert replace(small, vocab_size=10_000_000).scored_together == 1
