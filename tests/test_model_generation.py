"""Generation: ids in, pieces of text out, and the reason why the text ended."""

import pytest

from model.decoding.generation import Generation
from model.errors import ParameterError
from model.parameters import SamplingParams
from model.tokenizer import BOS_ID, UNK_ID, Tokenizer
from model.tokenizer_training import train_tokenizer


@pytest.fixture(scope="module")
def subword(anthology: str) -> Tokenizer:
    return train_tokenizer([anthology[:20_000]], kind="bpe", vocab_size=400)


def begun(tokenizer: Tokenizer, **fields: object) -> Generation:
    params = SamplingParams.checked(seed=1, **fields)
    return Generation(tokenizer, tokenizer.encode_prompt("O"), params)


def accept_all(generation: Generation, ids: list[int]) -> list[str]:
    pieces = []
    for token_id in ids:
        assert not generation.is_finished
        pieces.append(generation.accept([token_id]))
    return pieces


def test_each_token_shows_its_text(tokenizer: Tokenizer) -> None:
    generation = begun(tokenizer)
    assert accept_all(generation, tokenizer.encode("rose")) == ["r", "o", "s", "e"]
    assert generation.num_tokens == 4
    assert not generation.is_finished


def test_a_text_ends_at_its_length(tokenizer: Tokenizer) -> None:
    generation = begun(tokenizer, max_tokens=4)
    accept_all(generation, tokenizer.encode("rose"))
    assert (generation.finish_reason, generation.stop_reason) == ("length", None)


def test_a_text_of_no_tokens_is_finished_at_once(tokenizer: Tokenizer) -> None:
    generation = begun(tokenizer, max_tokens=0)
    assert generation.is_finished
    assert generation.finish_reason == "length"


def test_bos_ends_the_document_and_shows_nothing(tokenizer: Tokenizer) -> None:
    generation = begun(tokenizer, max_tokens=2)
    pieces = accept_all(generation, [*tokenizer.encode("r"), BOS_ID])
    assert pieces == ["r", ""]
    assert (generation.finish_reason, generation.stop_reason) == ("stop", "end_of_document")


def test_a_stop_string_ends_the_text_and_is_not_shown(tokenizer: Tokenizer) -> None:
    generation = begun(tokenizer, stop=["se", "xx"])
    assert accept_all(generation, tokenizer.encode("rose")) == ["r", "o", "", ""]
    assert (generation.finish_reason, generation.stop_reason) == ("stop", "se")


def test_what_was_held_back_is_shown_when_it_was_no_stop(tokenizer: Tokenizer) -> None:
    generation = begun(tokenizer, stop=["ost"])
    assert accept_all(generation, tokenizer.encode("rose")) == ["r", "", "", "ose"]


@pytest.mark.parametrize("last", ["length", "document"])
def test_what_is_held_back_at_the_end_is_shown(tokenizer: Tokenizer, last: str) -> None:
    generation = begun(tokenizer, stop=["se!"], max_tokens=4 if last == "length" else 99)
    ids = tokenizer.encode("rose") + ([BOS_ID] if last == "document" else [])
    assert "".join(accept_all(generation, ids)) == "rose"
    assert generation.stop_reason == (None if last == "length" else "end_of_document")


def test_a_stop_string_on_the_last_token_is_a_stop(tokenizer: Tokenizer) -> None:
    generation = begun(tokenizer, stop=["se"], max_tokens=4)
    accept_all(generation, tokenizer.encode("rose"))
    assert generation.finish_reason == "stop"


def test_half_a_character_at_the_end_is_shown_as_a_replacement(subword: Tokenizer) -> None:
    half = subword.encode("\U0001f600")[:-1]
    generation = begun(subword, max_tokens=len(half))
    assert "".join(accept_all(generation, half)) == "\ufffd"


def test_a_replacement_at_the_end_may_complete_a_stop(subword: Tokenizer) -> None:
    half = subword.encode("\U0001f600")[:-1]
    generation = begun(subword, max_tokens=len(half), stop=["\ufffd"])
    assert "".join(accept_all(generation, half)) == ""
    assert (generation.finish_reason, generation.stop_reason) == ("stop", "\ufffd")


ENDS: list[dict[str, object]] = [
    {},
    {"max_tokens": 1},
    {"max_tokens": 7},
    {"stop": ["e, th"]},
    {"stop": ["zzz", "h"]},
    {"stop": ["th"], "max_tokens": 9},
]


@pytest.mark.parametrize("size", [2, 3, 8, 100])
@pytest.mark.parametrize("fields", ENDS, ids=str)
def test_ids_in_handfuls_give_the_text_and_the_end_of_ids_one_by_one(
    tokenizer: Tokenizer, subword: Tokenizer, fields: dict[str, object], size: int
) -> None:
    for vocabulary in (tokenizer, subword):
        ids = [*vocabulary.encode("the rose, the rain"), BOS_ID, *vocabulary.encode("behind")]
        one_by_one, in_handfuls = begun(vocabulary, **fields), begun(vocabulary, **fields)
        text = ""
        for token_id in ids:
            text += "" if one_by_one.is_finished else one_by_one.accept([token_id])
        handfuls = [ids[start : start + size] for start in range(0, len(ids), size)]
        taken = [in_handfuls.accept(few) for few in handfuls if not in_handfuls.is_finished]
        assert "".join(taken) == text
        for name in ("finish_reason", "stop_reason", "num_tokens"):
            assert getattr(in_handfuls, name) == getattr(one_by_one, name)


def test_a_bias_is_kept_by_token_id(tokenizer: Tokenizer) -> None:
    (e,), (newline,) = tokenizer.encode("e"), tokenizer.encode("\n")
    biases = {"e": 2, "\n": -1, "<s>": 3}
    assert begun(tokenizer, logit_bias=biases).bias == {e: 2, newline: -1, BOS_ID: 3}


def test_a_bias_by_id_reaches_tokens_that_are_no_text_by_themselves(subword: Tokenizer) -> None:
    half = subword.encode("\u00e9")[0]
    params = SamplingParams.checked(seed=1, logit_bias={"e": 2})
    generation = Generation(subword, subword.encode_prompt(""), params, {half: -100})
    assert generation.bias == {**begun(subword, logit_bias={"e": 2}).bias, half: -100}


@pytest.mark.parametrize("text", ["", "ee", "\U0001f600", "<unk>", "\x00"])
def test_a_bias_on_what_is_no_token_is_refused(tokenizer: Tokenizer, text: str) -> None:
    with pytest.raises(ParameterError, match="not a token") as caught:
        begun(tokenizer, logit_bias={text: 1})
    assert caught.value.field == "logit_bias"


def test_an_unknown_character_in_the_prompt_is_fed_as_unk(tokenizer: Tokenizer) -> None:
    prompt = tokenizer.encode_prompt("\U0001f600")
    assert Generation(tokenizer, prompt, SamplingParams(seed=1)).prompt.ids == [BOS_ID, UNK_ID]
