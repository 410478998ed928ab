"""Memorization: suffix array and longest matches, beside the plain way to find them."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.memorization import longest_matches, memorization_of, suffix_array

# Few characters, so that much repeats; one is outside of the first plane.
SMALL_TEXT = st.text("ab\u4e00\U0001f600", max_size=40)


def by_hand(text: str, source: str) -> list[int]:
    """For every place of `text`, the longest passage from there on that `source` holds."""
    return [
        max(end - start for end in range(start, len(text) + 1) if text[start:end] in source)
        for start in range(len(text))
    ]


@given(SMALL_TEXT)
@settings(max_examples=60, deadline=None)
def test_suffixes_are_listed_in_their_order(text: str) -> None:
    assert suffix_array(text).tolist() == sorted(range(len(text)), key=lambda at: text[at:])


@pytest.mark.parametrize("text", ["a" * 3000, "ab" * 1500, "\x00\x00a\x00", "\U0010ffff" * 50])
def test_suffixes_that_are_tied_for_long_are_told_apart(text: str) -> None:
    assert suffix_array(text).tolist() == sorted(range(len(text)), key=lambda at: text[at:])


@given(SMALL_TEXT, SMALL_TEXT, st.integers(1, 50))
@settings(max_examples=80, deadline=None)
def test_matches_are_those_of_the_plain_way_however_the_source_is_cut(
    text: str, source: str, block: int
) -> None:
    (lengths,) = longest_matches([text], source, block=block)
    assert lengths.tolist() == by_hand(text, source)


def test_a_copied_passage_is_found_and_shown(anthology: str) -> None:
    passage = anthology[5000:5300]
    text = f"\u2603 {passage} \u2603"
    copying = memorization_of([text], longest_matches([text], anthology))
    assert passage in copying.passage
    assert 300 <= copying.longest == len(copying.passage) <= 302
    assert copying.passage in anthology


def test_a_passage_across_the_border_of_two_blocks_is_found(anthology: str) -> None:
    source, passage = anthology[:4000], anthology[900:1100]
    lengths = longest_matches(["none\u2603", passage], source, block=1000)
    assert lengths[1][0] == 200


def test_a_text_that_is_the_source_is_copied_whole(anthology: str) -> None:
    text = anthology[:600]
    (lengths,) = longest_matches([text], text)
    assert lengths.tolist() == list(range(600, 0, -1))
    assert memorization_of([text], [lengths]).mean_length == pytest.approx(300.5)


def test_a_text_is_searched_for_the_same_in_any_company(anthology: str) -> None:
    text, longer, source = anthology[100:160], anthology[2000:2400], anthology[:1500]
    (alone,) = longest_matches([text], source, block=200)
    together = longest_matches([longer, text], source, block=200)
    assert together[1].tolist() == alone.tolist()


def test_passages_do_not_span_two_texts() -> None:
    texts = ["ab", "cd"]
    copying = memorization_of(texts, longest_matches(texts, "abcd"))
    assert (copying.longest, copying.passage) == (2, "ab")


@pytest.mark.parametrize(("texts", "source"), [([], "abc"), ([""], "abc"), (["xyz"], "abc")])
def test_where_nothing_is_shared_nothing_is_copied(texts: list[str], source: str) -> None:
    copying = memorization_of(texts, longest_matches(texts, source))
    assert (copying.longest, copying.passage, copying.mean_length) == (0, "", 0)


def test_nothing_is_copied_from_nothing() -> None:
    (lengths,) = longest_matches(["abc"], "")
    assert lengths.tolist() == [0, 0, 0]


def test_noise_shares_little_with_verse(anthology: str) -> None:
    letters = random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=500)
    (lengths,) = longest_matches(["".join(letters)], anthology[:20_000])
    assert 1 < np.mean(lengths) < 4
