"""A broken text goes on: at any character the rest is what the unbroken text has there."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.decoding.decoder import Decoder, decoder_of
from model.decoding.generation import TokenLogprob
from model.decoding.reference_driver import generate
from model.decoding.resumption import Resumption, resumption_of
from model.errors import ParameterError
from model.parameters import BackendName, SamplingParams

BACKENDS: tuple[BackendName, ...] = ("int8", "fp32")
FIELDS: tuple[dict[str, Any], ...] = (
    {},
    {"temperature": 0},
    {"temperature": 1.3, "top_k": 9, "top_p": 0.9, "min_p": 0.02, "typical_p": 0.95},
    {"repetition_penalty": 1.3, "frequency_penalty": 0.4, "presence_penalty": 0.3},
    {"repetition_penalty": 1.5, "penalty_window": 7},
    {"stop": ["e\n", "the", " a"], "min_tokens": 30},
    {"logit_bias": {"e": -3.0, "\n": 2.0}, "min_tokens": 50},
    {"max_lines": 2},
    {"max_stanzas": 1, "stop": ["\n\n\n"]},
    {"soft_end": 30},
    {"avoid": ["the", "and", "of*"]},
    {"avoid": ["a"], "stop": [" to"], "repetition_penalty": 1.2},
)


@pytest.fixture(scope="module")
def tiny(tiny_checkpoint: Path) -> Checkpoint:
    return checkpoints.load(tiny_checkpoint)


@pytest.fixture(scope="module", params=BACKENDS)
def decoder(tiny: Checkpoint, request: pytest.FixtureRequest) -> Decoder:
    return decoder_of(tiny.network, request.param)


Write = Callable[..., tuple[str, list[TokenLogprob], str | None]]


@pytest.fixture
def write(tiny: Checkpoint, decoder: Decoder) -> Write:
    """Text, log probabilities and end of a request, or of what is left of it."""

    def write(
        params: SamplingParams, resumption: Resumption | None = None, steps: int = 5
    ) -> tuple[str, list[TokenLogprob], str | None]:
        pieces = list(
            generate(decoder, tiny.tokenizer, "The moon", params, steps, resumption=resumption)
        )
        text = "".join(piece.text for piece in pieces)
        entries = [entry for piece in pieces for entry in piece.logprobs]
        return text, entries, pieces[-1].stop_reason

    return write


@pytest.mark.parametrize("fields", FIELDS, ids=lambda fields: "-".join(fields) or "plain")
def test_the_rest_is_what_the_unbroken_text_has(
    write: Write, tiny: Checkpoint, decoder: Decoder, fields: dict[str, Any]
) -> None:
    params = SamplingParams.checked(**{"seed": 5, "max_tokens": 90, **fields})
    whole, _, reason = write(params)
    assert len(whole) > 1
    draw = random.Random(str(fields))
    cuts = {1, len(whole), *(draw.randrange(1, len(whole) + 1) for _ in range(6))}
    is_exact = decoder.backend_name == "int8"
    for cut in cuts:
        known = resumption_of(tiny.tokenizer, params, whole[:cut], is_exact=is_exact)
        for resumption in (known, replace(known, text=None, ids=())):
            rest, _, again = write(params, resumption, steps=draw.choice((1, 5, 16)))
            assert rest == whole[cut:]
            assert again == reason


def test_only_a_character_model_of_the_exact_backend_reads(
    tiny: Checkpoint,
) -> None:
    plain, avoiding = SamplingParams(), SamplingParams(avoid=("the",))
    text = "The sea"
    assert resumption_of(tiny.tokenizer, plain, text, is_exact=True).ids
    assert not resumption_of(tiny.tokenizer, plain, text, is_exact=False).ids
    assert not resumption_of(tiny.tokenizer, avoiding, text, is_exact=True).ids


def test_log_probabilities_go_on_with_the_token_that_is_next(
    write: Write, tiny: Checkpoint, decoder: Decoder
) -> None:
    """What is read has none; what is written again has them all, for the reader to leave out."""
    params = SamplingParams(seed=2, max_tokens=40, min_tokens=40, logprobs=2)
    whole, entries, _ = write(params)
    is_exact = decoder.backend_name == "int8"
    resumption = resumption_of(tiny.tokenizer, params, whole[:17], is_exact=is_exact)
    _, rest, _ = write(params, resumption)
    assert rest == entries[-len(rest) :]
    assert len(rest) == (23 if is_exact else 40)


@pytest.mark.parametrize("is_exact", [True, False])
def test_what_no_such_request_writes_is_refused(tiny: Checkpoint, *, is_exact: bool) -> None:
    params = SamplingParams(seed=1, max_tokens=10)
    with pytest.raises(ParameterError, match=r"received: .*does not write"):
        resumption_of(tiny.tokenizer, params, "\u16a0", is_exact=is_exact)


def test_another_text_is_refused_where_it_is_written_again(write: Write) -> None:
    params = SamplingParams(seed=1, max_tokens=10, min_tokens=10)
    with pytest.raises(ParameterError, match="received: is not what this request writes"):
        write(params, Resumption(length=4, text="XXXX"))


@pytest.mark.parametrize("fields", [{"max_tokens": 3}, {"stop": ["o"]}, {"max_lines": 1}])
def test_a_text_that_would_have_ended_before_is_refused(
    tiny: Checkpoint, write: Write, fields: dict[str, Any]
) -> None:
    params = SamplingParams.checked(**{"seed": 1, "max_tokens": 10, **fields})
    resumption = resumption_of(tiny.tokenizer, params, "\none\nmore\n", is_exact=True)
    with pytest.raises(ParameterError, match="received: goes on where"):
        write(params, resumption)
