"""OpenAI's four lists, of vocabularies whose tokens are not characters."""

from collections.abc import Sequence

import pytest

from model.decoding.generation import TokenLogprob, token_logprob
from model.tokenizer import REPLACEMENT, Tokenizer
from model.tokenizer_training import train_tokenizer
from service.api.due_logprobs import DueLogprobs
from service.api.openai.completion_logprobs import (
    CompletionLogprobs,
    echoed,
    joined,
    listed,
)
from service.api.openai.prompts import echo_of

TEXT = "the moon \u2014 caf\u00e9 \U0001f319 moon"


@pytest.fixture(scope="module")
def subwords(anthology: str) -> Tokenizer:
    return train_tokenizer([anthology[:50_000]], kind="bpe", vocab_size=400)


def entries(tokenizer: Tokenizer, ids: Sequence[int]) -> list[TokenLogprob]:
    return [token_logprob(tokenizer, token_id, [-1.0], []) for token_id in ids]


def told(tokenizer: Tokenizer, ids: Sequence[int]) -> CompletionLogprobs:
    """Those of a text that is written token by token."""
    logprobs, decoder = DueLogprobs(tokenizer), tokenizer.stream_decoder()
    parts = [logprobs.due(decoder.feed([i]), entries(tokenizer, [i])) for i in ids]
    return joined(map(listed, [*parts, logprobs.due(decoder.finish(), [])]))


def starts(tokenizer: Tokenizer, ids: Sequence[int]) -> list[int]:
    """How many whole characters are written before each."""
    return [len(tokenizer.decode(ids[:index]).rstrip(REPLACEMENT)) for index in range(len(ids))]


def test_tokens_that_are_bytes_stand_where_their_character_begins(subwords: Tokenizer) -> None:
    ids = subwords.encode(TEXT)
    assert len(ids) > len({*starts(subwords, ids)})  # some are bytes
    written = told(subwords, ids)
    assert len(written["tokens"]) == len(ids)
    assert written["text_offset"] == starts(subwords, ids)
    echo = echo_of(TEXT, subwords, with_offsets=True)
    assert echoed(echo, entries(subwords, ids))["text_offset"] == written["text_offset"]


def test_a_character_that_is_never_whole_is_told_with_what_stands_for_it(
    subwords: Tokenizer,
) -> None:
    *whole, _ = subwords.encode("a\U0001f319")
    written = told(subwords, whole)
    assert subwords.decode(whole) == "a" + REPLACEMENT
    assert written["text_offset"] == [0, 1, 1, 1]
