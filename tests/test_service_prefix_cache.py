"""Prefix cache: which states are found, and which are forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.prefix_cache import PrefixCache

UNIT = 4
some_ids = st.lists(st.integers(0, 2), min_size=1, max_size=14)


def test_nothing_is_found_in_an_empty_cache() -> None:
    assert PrefixCache[str](3).longest([1, 2, 3], UNIT) is None


def test_a_whole_prompt_is_found_whatever_its_length() -> None:
    cache: PrefixCache[str] = PrefixCache(3)
    cache.put([1, 2, 3], "after three")
    assert cache.longest([1, 2, 3], UNIT) == (3, "after three")
    assert cache.longest([1, 2, 4], UNIT) is None


def test_the_beginning_of_a_prompt_is_found_where_it_is_whole_units() -> None:
    """What is fed from there on must be cut as if it had been fed from the start."""
    cache: PrefixCache[str] = PrefixCache(3)
    cache.put([1] * 4, "four")
    cache.put([1] * 5, "five")
    assert cache.longest([1] * 7, UNIT) == (4, "four")
    assert cache.longest([1] * 3, UNIT) is None


def test_the_longest_is_taken() -> None:
    cache: PrefixCache[str] = PrefixCache(3)
    for length in (8, 4, 12):
        cache.put([1] * length, str(length))
    assert cache.longest([1] * 11, UNIT) == (8, "8")


def test_what_was_not_used_for_longest_is_forgotten_first() -> None:
    cache: PrefixCache[str] = PrefixCache(2)
    cache.put([1], "one")
    cache.put([2], "two")
    cache.longest([1], UNIT)
    cache.put([3], "three")
    assert [cache.longest([token_id], UNIT) for token_id in (1, 2, 3)] == [
        (1, "one"),
        None,
        (1, "three"),
    ]


def test_a_prefix_put_again_takes_no_second_place() -> None:
    cache: PrefixCache[str] = PrefixCache(2)
    for state in ("old", "other", "new"):
        cache.put([7] if state != "other" else [8], state)
    assert len(cache) == 2
    assert cache.longest([7], UNIT) == (1, "new")


def test_without_room_nothing_is_kept() -> None:
    cache: PrefixCache[str] = PrefixCache(0)
    cache.put([1], "one")
    assert (len(cache), cache.longest([1], UNIT)) == (0, None)


@pytest.mark.parametrize("capacity", [1, 3, 100])
@given(st.lists(some_ids, max_size=12), some_ids)
def test_it_finds_what_a_search_through_the_last_ones_finds(
    capacity: int, put: list[list[int]], wanted: list[int]
) -> None:
    cache: PrefixCache[tuple[int, ...]] = PrefixCache(capacity)
    kept: list[tuple[int, ...]] = []
    for ids in map(tuple, put):
        cache.put(ids, ids)
        kept = [*(other for other in kept if other != ids), ids][-capacity:]
    fits = [
        ids
        for ids in kept
        if tuple(wanted[: len(ids)]) == ids and (len(ids) == len(wanted) or len(ids) % UNIT == 0)
    ]
    best = max(fits, key=len, default=None)
    assert cache.longest(wanted, UNIT) == (None if best is None else (len(best), best))
