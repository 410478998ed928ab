"""Token offsets: each token has the place of the character that it was made of, or writes."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.token_offsets import offsets_of_ids, offsets_of_prompt
from model.tokenizer import ESCAPE, RESERVED, Tokenizer
from model.tokenizer_training import train_tokenizer

# What a prompt is joined of, and for each token of it its place within.
PARTS = {
    "a": [0],
    " ": [0],
    "\u2014": [0, 0],  # --
    "\u2026": [0, 0, 0],  # ...
    "\ufb01": [0, 0],  # fi
    "\u00e6": [0, 0],  # ae
    "\u2019": [0],
    "\u6708": [0],  # unknown
    "\U0001f319": [0],
    "\u00a0": [0],
    "\r\n": [0],
    "\r.": [0, 1],
    "\u2581": [0, 0],  # escaped
    "e\u0301": [0],  # composed, then known
    "o\u0302": [0],  # composed, then without its accent
    "o\u0302\u0323": [0],  # the mark below comes first in what they are composed to
    "a\u0316\u0301": [0, 1],  # the second mark is composed, the first one stays
    "e\u0301\u0301": [0, 2],
    "q\u0307\u0323": [0, 2, 2],  # put into the other order, and none falls
    "\u1112\u1161\u11ab": [0],  # a Hangul syllable in three parts
    "\u212b": [0],  # another code point of the same letter
    "\u0958": [0, 0],  # composed to two
}


@pytest.fixture(scope="module")
def plain() -> Tokenizer:
    return train_tokenizer(["abcdefghijklmnopqrstuvwxyz \u00e9'-.\n\u2581"])


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def subwords(request: pytest.FixtureRequest, anthology: str) -> Tokenizer:
    text = "\n".join(RESERVED) + anthology[:20_000]
    return train_tokenizer([text], kind=request.param, vocab_size=400)


@given(st.lists(st.sampled_from(sorted(PARTS))))
def test_a_token_of_a_prompt_stands_where_what_it_was_made_of_does(
    plain: Tokenizer, parts: list[str]
) -> None:
    expected, start = [], 0
    for part in parts:
        expected += [start + place for place in PARTS[part]]
        start += len(part)
    assert offsets_of_prompt("".join(parts), plain) == expected


@given(st.text(st.characters() | st.sampled_from("".join(PARTS))))
def test_offsets_of_any_prompt_are_as_many_as_its_tokens_and_never_fall(
    plain: Tokenizer, prompt: str
) -> None:
    offsets = offsets_of_prompt(prompt, plain)
    assert len(offsets) == len(plain.encode_prompt(prompt).ids) - 1
    assert all(0 <= offset < len(prompt) for offset in offsets)
    assert all(before <= after for before, after in pairwise(offsets))


@given(st.lists(st.sampled_from([*PARTS, *RESERVED, "moon", "the ", "0"])).map("".join))
def test_a_subword_stands_where_its_first_character_does(subwords: Tokenizer, prompt: str) -> None:
    ids = subwords.encode_prompt(prompt).ids[1:]
    offsets = offsets_of_prompt(prompt, subwords)
    assert offsets == expected_offsets(subwords, ids)
    assert all(offset < len(prompt) for offset in offsets)


@given(data=st.data())
def test_any_bytes_stand_where_they_are_shown(subwords: Tokenizer, data: st.DataObject) -> None:
    """Also those of half characters, which are shown as one that stands for them."""
    require_first_bytes(subwords, data.draw(ids_of(subwords)))


@given(data=st.data())
def test_any_characters_stand_where_they_are_shown(plain: Tokenizer, data: st.DataObject) -> None:
    require_first_bytes(plain, data.draw(ids_of(plain)))


def ids_of(tokenizer: Tokenizer) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, tokenizer.vocab_size - 1))


def require_first_bytes(tokenizer: Tokenizer, ids: list[int]) -> None:
    offsets = offsets_of_ids(ids, tokenizer)
    assert all(before <= after for before, after in pairwise(offsets))
    written = [index for index, each in enumerate(ids) if tokenizer.piece_bytes[each]]
    expected = expected_offsets(tokenizer, [ids[index] for index in written])
    assert [offsets[index] for index in written] == expected


def expected_offsets(tokenizer: Tokenizer, ids: list[int]) -> list[int]:
    """Those of ids that all write something, from the bytes of the whole text."""
    raw = b"".join(tokenizer.piece_bytes[each] for each in ids)
    shown = list(characters_of_bytes(raw))
    places, place, previous = [], -1, ""
    for index, char in enumerate(shown):
        is_first_byte = index == 0 or shown[index - 1][0] != char[0]
        if is_first_byte:
            goes_on = previous == ESCAPE and char[1] in "01234"
            place += not goes_on
            previous = "" if goes_on else char[1]
        places.append(place)
    starts = [len(b"".join(tokenizer.piece_bytes[i] for i in ids[:k])) for k in range(len(ids))]
    return [places[start] for start in starts]


def characters_of_bytes(raw: bytes) -> Iterator[tuple[int, str]]:
    """For each byte, the number of the character that it is part of, and that character."""
    number = 0
    while raw:
        try:
            whole, broken = raw.decode(), 0
        except UnicodeDecodeError as error:
            whole, broken = raw[: error.start].decode(), error.end - error.start
        for char in whole:
            yield from [(number, char)] * len(char.encode())
            number += 1
        yield from [(number, "\ufffd")] * broken
        number += 1
        raw = raw[len(whole.encode()) + broken :]
