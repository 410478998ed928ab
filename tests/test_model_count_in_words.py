"""Counts in words: one of a thing is never several, wherever a count is told."""

import pytest

from model.count_in_words import counted
from model.tokenizer_training import train_tokenizer
from service.openapi.docs_page import bounds
from training.data.separator_hints import separator_hints
from training.widening import new_character_lines


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "0 characters"), (1, "1 character"), (2, "2 characters"), (1204, "1,204 characters")],
)
def test_a_count_has_its_noun_in_the_right_number(count: int, told: str) -> None:
    assert counted(count, "character") == told


def test_a_plural_of_its_own_is_given() -> None:
    assert [counted(n, "copy", "copies") for n in (1, 2)] == ["1 copy", "2 copies"]


def test_a_vocabulary_is_widened_by_one_character() -> None:
    old, new = train_tokenizer(["ab"]), train_tokenizer(["abé"])
    (line,) = new_character_lines(old, new, "verse")
    assert line == "widened by 1 character that verse does not have: 'é' U+00E9"


def test_a_single_separator_and_a_character_are_told_as_one() -> None:
    (hint,) = separator_hints("one\n\ntwo\n", "\n\n\n")
    assert hint.startswith("it has 1 single blank line:")
    assert bounds({"minLength": 1, "maxLength": 2}) == "1 character or more, at most 2 characters"
