"""Stop strings: however a text is cut into pieces, all of it up to the first stop is shown."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.decoding.stopping import StopMatcher

letters = st.text("abc", max_size=10)
stop_lists = st.lists(st.text("abc", min_size=1, max_size=4), max_size=4)


def shown_until_stop(text: str, stops: list[str]) -> tuple[str, str | None]:
    """The reference: read on, a character at a time, until what was read ends with a stop."""
    for end in range(1, len(text) + 1):
        ending = [stop for stop in stops if text[:end].endswith(stop)]
        if ending:
            longest = max(ending, key=len)
            return text[: end - len(longest)], longest
    return text, None


def cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


def shown(matcher: StopMatcher, pieces: list[str]) -> str:
    return "".join([*(matcher.feed(piece) for piece in pieces), matcher.finish()])


@settings(max_examples=1000)
@given(letters, stop_lists, st.lists(st.integers(0, 10)))
def test_what_is_shown_depends_on_the_text_and_not_on_its_pieces(
    text: str, stops: list[str], places: list[int]
) -> None:
    matcher = StopMatcher(stops)
    assert (shown(matcher, cut(text, places)), matcher.found) == shown_until_stop(text, stops)


@given(letters, st.text("abc", min_size=1, max_size=4), st.integers(0, 14))
def test_no_part_of_a_stop_is_shown_before_the_rest_of_it_comes(
    text: str, stop: str, num_fed: int
) -> None:
    whole = text + stop
    visible = StopMatcher([stop]).feed(whole[:num_fed])
    assert whole[: whole.index(stop)].startswith(visible)


@given(letters, stop_lists)
def test_only_what_may_begin_a_stop_is_held_back(text: str, stops: list[str]) -> None:
    matcher = StopMatcher(stops)
    visible = matcher.feed(text)
    if matcher.found is None:
        held = text[len(visible) :]
        assert text.startswith(visible)
        assert not held or any(stop.startswith(held) for stop in stops)


@pytest.mark.parametrize(
    ("stops", "text", "visible", "found"),
    [
        (["ab", "abc"], "xabc", "x", "ab"),
        (["abc", "b"], "xabc", "xa", "b"),  # `b` is complete before `abc` is
        (["abc", "bc"], "xabc", "x", "abc"),  # both at once: the one that begins first
        (["aab"], "aaab", "a", "aab"),
        (["abab"], "ababab", "", "abab"),
        (["\n\n"], "a\nb\n\nc", "a\nb", "\n\n"),
        (["abc"], "xab", "xab", None),
        ([], "abc", "abc", None),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_overlapping_stops(
    stops: list[str], text: str, visible: str, found: str | None, size: int
) -> None:
    matcher = StopMatcher(stops)
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert (shown(matcher, pieces), matcher.found) == (visible, found)


def test_nothing_is_shown_after_a_stop() -> None:
    matcher = StopMatcher(["stop"])
    assert [matcher.feed("go stop on"), matcher.feed("and on"), matcher.finish()] == ["go ", "", ""]
