"""Text to ids and back: exact, one `<unk>` for each unknown character, never half a character."""

from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from model.errors import TokenizerError
from model.tokenizer import (
    BOS_ID,
    ESCAPE,
    RESERVED,
    SPACE_PIECE,
    UNK_ID,
    Tokenizer,
    TokenizerKind,
    escape,
    unescape,
)
from model.tokenizer_training import train_tokenizer

AWKWARD = (*RESERVED, "\n", "\t", "\r", " ", "  ", "\r\n", "<s>", "<unk>", "<0x0A>", "0", "1", "é")

texts = st.lists(st.sampled_from(AWKWARD) | st.text(st.characters(exclude_categories=["Cs"]))).map(
    "".join
)


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def subword(request: pytest.FixtureRequest, anthology: str) -> Tokenizer:
    return train_tokenizer([anthology[:20_000]], kind=request.param, vocab_size=400)


def streamed(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    decoder = tokenizer.stream_decoder()
    return [*(decoder.feed([token_id]) for token_id in ids), decoder.finish()]


@given(texts)
def test_a_char_vocabulary_gives_back_the_text_it_was_learned_from(text: str) -> None:
    assume(text.strip("\n\t"))
    tokenizer = train_tokenizer([text])
    ids = tokenizer.encode(text)
    assert UNK_ID not in ids
    assert BOS_ID not in ids
    assert tokenizer.decode(ids) == text


@given(text=texts)
def test_a_subword_vocabulary_gives_back_any_text(subword: Tokenizer, text: str) -> None:
    ids = subword.encode(text)
    assert UNK_ID not in ids
    assert BOS_ID not in ids
    assert subword.decode(ids) == text


@given(texts)
def test_unescape_undoes_escape_and_leaves_no_reserved_character(text: str) -> None:
    escaped = escape(text)
    assert unescape(escaped) == text
    assert not set(escaped) & (set(RESERVED) - {ESCAPE})


def test_the_anthology_survives_with_one_id_a_character(
    tokenizer: Tokenizer, anthology: str
) -> None:
    ids = tokenizer.encode(anthology)
    assert len(ids) == len(anthology)
    assert tokenizer.decode(ids) == anthology


@given(st.lists(st.integers(0, 399)))
def test_a_stream_shows_what_decode_shows(subword: Tokenizer, ids: list[int]) -> None:
    assert "".join(streamed(subword, ids)) == subword.decode(ids)


@given(text=texts)
def test_a_stream_never_shows_half_a_character(subword: Tokenizer, text: str) -> None:
    shown = ""
    for piece in streamed(subword, subword.encode(text)):
        shown += piece
        assert text.startswith(shown)
    assert shown == text


def test_a_character_of_several_bytes_is_shown_when_its_last_byte_comes(
    subword: Tokenizer,
) -> None:
    pieces = streamed(subword, subword.encode("\U0001f600"))
    assert [piece for piece in pieces if piece] == ["\U0001f600"]
    assert pieces[-2:] == ["\U0001f600", ""]


def test_half_a_character_at_the_end_is_shown_as_a_replacement(subword: Tokenizer) -> None:
    half = subword.encode("\U0001f600")[:-1]
    assert subword.decode(half) == "\ufffd"


def test_an_escape_without_its_digit_is_shown_as_a_replacement() -> None:
    tokenizer = train_tokenizer(["a\x00"])
    opening, _ = tokenizer.encode("\x00")
    assert tokenizer.decode([opening]) == "\ufffd"
    assert tokenizer.decode([opening, *tokenizer.encode("a")]) == "\ufffda"


@given(st.text(st.sampled_from([*RESERVED, "a", "é", "日", "\ud800", "\U0010ffff"])))
def test_each_unknown_character_becomes_one_unk(text: str) -> None:
    tokenizer = train_tokenizer(["a 0123456789"])  # it has the digits that escapes are made of
    ids = tokenizer.encode(text)
    assert len(ids) == len(text)
    assert tokenizer.decode(ids) == "".join(c if c == "a" else "\ufffd" for c in text)


def test_a_reserved_character_whose_escape_lacks_a_digit_is_one_unk() -> None:
    tokenizer = train_tokenizer(["a\x00"])
    assert tokenizer.knows("\x00")
    assert tokenizer.encode(SPACE_PIECE) == [UNK_ID]
    assert tokenizer.encode(ESCAPE) == [UNK_ID]


def test_a_prompt_opens_with_bos_and_counts_what_was_changed(tokenizer: Tokenizer) -> None:
    prompt = tokenizer.encode_prompt("caf\u00e9 \U0001f600\x00")
    assert prompt.ids == [BOS_ID, *tokenizer.encode("cafe "), UNK_ID, UNK_ID]
    assert (prompt.num_folded, prompt.num_unknown) == (1, 2)


def test_a_subword_vocabulary_writes_a_prompt_as_it_is(subword: Tokenizer) -> None:
    prompt = subword.encode_prompt("caf\u00e9 \x00")
    assert subword.decode(prompt.ids) == "caf\u00e9 \x00"
    assert (prompt.num_folded, prompt.num_unknown) == (0, 0)


@pytest.mark.parametrize("markup", ["<s>", "<unk>", "<0x0A>"])
def test_text_that_looks_like_a_symbol_is_text(subword: Tokenizer, markup: str) -> None:
    ids = subword.encode(markup)
    assert not {UNK_ID, BOS_ID} & set(ids)
    assert subword.decode(ids) == markup


def test_half_a_surrogate_pair_in_a_prompt_does_no_harm(
    tokenizer: Tokenizer, subword: Tokenizer
) -> None:
    assert tokenizer.encode("\ud800") == [UNK_ID]
    assert subword.decode(subword.encode("\ud800")) == "?"


def test_bos_writes_nothing_and_unk_a_replacement(tokenizer: Tokenizer) -> None:
    assert tokenizer.decode([BOS_ID, *tokenizer.encode("a"), UNK_ID]) == "a\ufffd"
    assert [tokenizer.token_text(i) for i in (UNK_ID, BOS_ID)] == ["<unk>", "<s>"]


def test_the_empty_text_has_no_ids(tokenizer: Tokenizer, subword: Tokenizer) -> None:
    assert tokenizer.encode("") == subword.encode("") == []
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize("serialized", [b"", b"\x00garbage", b"PK\x03\x04" * 9])
def test_bytes_that_are_no_vocabulary_are_refused(serialized: bytes) -> None:
    with pytest.raises(TokenizerError, match="tokenizer"):
        Tokenizer(serialized, "char")


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_truncated_vocabulary_is_refused(tokenizer: Tokenizer, cut: int) -> None:
    with pytest.raises(TokenizerError):
        Tokenizer(tokenizer.serialized[: -len(tokenizer.serialized) * cut // 4], "char")


def test_a_vocabulary_of_another_kind_is_refused(tokenizer: Tokenizer, subword: Tokenizer) -> None:
    with pytest.raises(TokenizerError, match="kind bpe"):
        Tokenizer(tokenizer.serialized, "bpe")
    with pytest.raises(TokenizerError, match="kind char"):
        Tokenizer(subword.serialized, "char")


@pytest.mark.parametrize("kind", ["char", "unigram", "bpe"])
@pytest.mark.parametrize("corpus", [[], [""], ["", ""]])
def test_an_empty_corpus_has_no_vocabulary(kind: TokenizerKind, corpus: list[str]) -> None:
    with pytest.raises(TokenizerError, match="empty"):
        train_tokenizer(corpus, kind=kind)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_corpus_too_small_for_the_vocabulary_is_refused(kind: TokenizerKind) -> None:
    with pytest.raises(TokenizerError, match=r"of 1,024 tokens .* enough for 2\d\d at most$"):
        train_tokenizer(["a few words"], kind=kind, vocab_size=1024)


@pytest.mark.parametrize("kind", ["char", "bpe"])
def test_an_error_of_whoever_reads_the_corpus_passes_through(kind: TokenizerKind) -> None:
    def failing() -> Iterator[str]:
        yield "a line"
        raise OSError("the disk has gone")

    with pytest.raises(OSError, match="the disk has gone"):
        train_tokenizer(failing(), kind=kind)


@pytest.mark.parametrize("kind", ["char", "unigram", "bpe"])
def test_the_same_text_gives_the_same_vocabulary(anthology: str, kind: TokenizerKind) -> None:
    text = anthology[:20_000]
    first, second = (train_tokenizer([text], kind=kind, vocab_size=400) for _ in range(2))
    assert first.serialized == second.serialized
    assert Tokenizer(first.serialized, kind).encode(text) == first.encode(text)
