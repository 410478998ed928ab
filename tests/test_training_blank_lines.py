"""Blank lines: what no reader of the page can see does not keep two documents together."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.blank_lines import emptied_blank_lines, is_blank

INVISIBLE = " \t\x00\x0b\r\x1f\x7f\x85\u00a0\u00ad\u2003\u200b\u2028\u202e\u2060\u2800\u3000\ufeff"


@pytest.mark.parametrize("char", INVISIBLE, ids=ascii)
def test_a_line_of_what_cannot_be_seen_is_blank(char: str) -> None:
    assert is_blank(char)
    assert "".join(emptied_blank_lines([f"a\n{char}\n\n{char}{char}\n b"])) == "a\n\n\n\n b"


def test_a_form_feed_is_blank_but_its_line_is_kept_since_a_page_may_end_a_poem() -> None:
    assert is_blank("\f")
    assert "".join(emptied_blank_lines(["a\n\f\n \nb"])) == "a\n\f\n\nb"


def test_every_letter_mark_number_sign_and_symbol_is_visible_but_the_fillers() -> None:
    seen = (chr(number) for number in range(sys.maxunicode + 1))
    hidden = [c for c in seen if is_blank(c) and unicodedata.category(c)[0] not in "CZ"]
    named = {unicodedata.name(char) for char in hidden}
    assert all(
        any(word in name for word in ("FILLER", "VARIATION", "JOINER", "INHERENT", "BLANK"))
        for name in named
    )


@given(st.lists(st.text(alphabet="a \n\t\u200b", max_size=6), max_size=8))
def test_lines_are_emptied_wherever_the_text_is_cut(pieces: list[str]) -> None:
    expected = ["" if is_blank(line) else line for line in "".join(pieces).split("\n")]
    assert "".join(emptied_blank_lines(pieces)) == "\n".join(expected)
