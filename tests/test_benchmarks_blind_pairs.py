"""Blind comparison of two checkpoints: answers are counted for who wrote what was preferred."""

import pytest
from blind_pairs import wilson, wins


def test_an_answer_counts_for_whoever_wrote_what_it_prefers() -> None:
    key = {1: "one", 2: "other", 3: "other", 4: "one"}
    answers = ["1 A", "", "2 A rhymes better", "3 B", "4 ="]
    assert wins(key, answers) == {"one": 2, "other": 1, "neither": 1}


@pytest.mark.parametrize("answer", ["5 A", "1 C", "1"])
def test_an_answer_to_no_pair_is_not_counted_in_silence(answer: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        wins({1: "one"}, [answer])


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(27, 40, 0.520, 0.799), (0, 10, 0.0, 0.278), (5, 5, 0.566, 1)],
)
def test_the_interval_is_wilsons(count: int, total: int, low: float, high: float) -> None:
    assert wilson(count, total) == pytest.approx((low, high), abs=1e-3)
