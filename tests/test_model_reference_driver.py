"""Reference driver: what `generate` writes, by every backend."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from decoders import DECODERS, decoder_by

from model import checkpoint as checkpoints
from model.decoding.decoder import CHUNK, Decoder, decoder_of
from model.decoding.generation import Piece
from model.decoding.reference_driver import generate
from model.errors import ModelError, ParameterError
from model.network import Network
from model.parameters import SamplingParams
from model.tokenizer import Tokenizer

PROMPT = "The sea was gray, the sky was low,\n"


@dataclass(frozen=True)
class Loaded:
    network: Network
    decoder: Decoder
    tokenizer: Tokenizer


@pytest.fixture(scope="module", params=DECODERS)
def loaded(request: pytest.FixtureRequest, tiny_checkpoint: Path) -> Loaded:
    checkpoint = checkpoints.load(tiny_checkpoint)
    decoder = decoder_by(request.param, checkpoint.network)
    return Loaded(checkpoint.network, decoder, checkpoint.tokenizer)


def pieces_of(loaded: Loaded, prompt: str = PROMPT, **fields: object) -> list[Piece]:
    params = SamplingParams.checked(**{"seed": 5, "max_tokens": 80, **fields})
    return list(generate(loaded.decoder, loaded.tokenizer, prompt, params))


def text_of(loaded: Loaded, prompt: str = PROMPT, **fields: object) -> str:
    return "".join(piece.text for piece in pieces_of(loaded, prompt, **fields))


def test_the_same_seed_gives_the_same_text(loaded: Loaded) -> None:
    assert text_of(loaded, seed=5) == text_of(loaded, seed=5)


def test_another_seed_gives_another_text(loaded: Loaded) -> None:
    assert len({text_of(loaded, seed=seed) for seed in range(10)}) == 10


def test_without_a_seed_each_text_is_another(loaded: Loaded) -> None:
    assert text_of(loaded, seed=None) != text_of(loaded, seed=None)


def test_torchs_own_generator_is_neither_read_nor_moved(loaded: Loaded) -> None:
    torch.manual_seed(1)
    before, first = torch.get_rng_state(), text_of(loaded)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert text_of(loaded) == first


@pytest.mark.parametrize("max_tokens", [1, 2, 33])
def test_a_text_has_as_many_tokens_as_were_asked_for(loaded: Loaded, max_tokens: int) -> None:
    pieces = pieces_of(loaded, max_tokens=max_tokens, min_tokens=max_tokens)
    assert len(pieces) == len("".join(piece.text for piece in pieces)) == max_tokens
    assert [piece.finish_reason for piece in pieces] == [None] * (max_tokens - 1) + ["length"]


def test_no_tokens_is_one_empty_last_piece(loaded: Loaded) -> None:
    assert pieces_of(loaded, max_tokens=0) == [Piece(text="", num_tokens=0, finish_reason="length")]


def test_a_document_does_not_end_before_min_tokens(loaded: Loaded) -> None:
    """Untrained and hot, `<s>` is as likely as any: most texts would end early."""
    hot: dict[str, Any] = {"temperature": 10, "max_tokens": 120}
    lengths = [len(pieces_of(loaded, seed=seed, **hot)) for seed in range(5)]
    assert min(lengths) < 80
    assert all(len(pieces_of(loaded, seed=s, min_tokens=80, **hot)) >= 80 for s in range(5))


def test_a_stop_string_cuts_the_text_that_would_have_been(loaded: Loaded) -> None:
    whole = text_of(loaded)
    stop = whole[40:43]
    pieces = pieces_of(loaded, stop=[stop])
    assert "".join(piece.text for piece in pieces) == whole[: whole.index(stop)]
    assert (pieces[-1].finish_reason, pieces[-1].stop_reason) == ("stop", stop)


def test_unk_is_never_written(loaded: Loaded) -> None:
    assert "\ufffd" not in text_of(loaded, temperature=10, max_tokens=300, min_tokens=300)


def test_the_empty_prompt_begins_a_document(loaded: Loaded) -> None:
    assert len(text_of(loaded, "", min_tokens=80)) == 80


def test_the_prompt_matters(loaded: Loaded) -> None:
    assert text_of(loaded, "Rose", temperature=0.1) != text_of(loaded, "moon", temperature=0.1)


def test_a_bias_no_token_can_honour_is_refused(loaded: Loaded) -> None:
    with pytest.raises(ParameterError, match="logit_bias"):
        pieces_of(loaded, logit_bias={"\U0001f600": 1})


def test_logits_that_are_not_finite_are_an_error_of_the_model(loaded: Loaded) -> None:
    network = Network(loaded.network.config).initialise().eval()
    with torch.no_grad():
        network.output.bias[3] = torch.nan
    with pytest.raises(ModelError, match="not finite"):
        list(
            generate(decoder_of(network, "fp32"), loaded.tokenizer, PROMPT, SamplingParams(seed=1))
        )


# Log probabilities


def test_logprobs_are_the_log_softmax_of_the_logits(loaded: Loaded) -> None:
    network, tokenizer = loaded.network, loaded.tokenizer
    pieces = pieces_of(loaded, logprobs=3, max_tokens=20, min_tokens=20, temperature=0.5, top_k=5)
    ids = tokenizer.encode_prompt(PROMPT).ids + tokenizer.encode("".join(p.text for p in pieces))
    with torch.inference_mode():
        logits, _ = network(torch.tensor([ids[:-1]]), network.zero_state(1))
    expected = torch.log_softmax(logits[0].double(), dim=-1)[-20:]
    tolerance = 1e-4 if loaded.decoder.backend_name == "fp32" else 0.02
    for row, token_id, piece in zip(expected, ids[-20:], pieces, strict=True):
        (logprob,) = piece.logprobs
        assert logprob.token == tokenizer.token_text(token_id)
        assert logprob.logprob == pytest.approx(float(row[token_id]), abs=tolerance)
        values = [value for _, value in logprob.top]
        assert values == pytest.approx(row.topk(3).values.tolist(), abs=tolerance)


def test_no_alternatives_may_be_asked_for(loaded: Loaded) -> None:
    assert all(len(piece.logprobs[0].top) == 0 for piece in pieces_of(loaded, logprobs=0))
    assert all(piece.logprobs == () for piece in pieces_of(loaded))


# Long prompts


def test_a_prompt_longer_than_a_chunk_is_continued(loaded: Loaded, anthology: str) -> None:
    prompt = anthology[: 5 * CHUNK + 3]
    assert text_of(loaded, prompt) == text_of(loaded, prompt)
    assert len(text_of(loaded, prompt, min_tokens=80)) == 80
