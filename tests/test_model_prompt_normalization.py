"""Prompt normalization: unknown characters become known look-alikes, and are counted."""

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.prompt_normalization import FIRST_MARK, composed, normalize_prompt

PLAIN = set(string.ascii_letters + string.digits + " '\"-.,!?;:\n")


def normalized(text: str, known: set[str]) -> str:
    return normalize_prompt(text, known.__contains__)[0]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\u2018tis\u2019", "'tis'"),
        ("\u201cO\u201d \u00abO\u00bb", '"O" "O"'),
        ("a\u2013b\u2212c\u2010d", "a-b-c-d"),
        ("gone \u2014 lost", "gone -- lost"),
        ("wait\u2026", "wait..."),
        ("caf\u00e9 na\u00efve \u00c5", "cafe naive A"),
        ("cafe\u0301", "cafe"),
        ("\ufb01re \ufb02ow", "fire flow"),
        ("\u00e6on \u0152uvre stra\u00dfe \u00f8", "aeon OEuvre strasse o"),
        ("a\u00a0b\u2003c", "a b c"),
        ("a\u2028b\u0085c\rd", "a\nb\nc\nd"),
        ("\uff21\uff22\uff13", "AB3"),
    ],
)
def test_a_look_alike_is_written_where_the_corpus_is_plain(text: str, plain: str) -> None:
    assert normalized(text, PLAIN) == plain


@pytest.mark.parametrize(
    ("text", "curly"), [("don't", "don\u2019t"), ('"no"', "\u201cno\u201c"), ("a-b", "a\u2010b")]
)
def test_straight_becomes_curly_where_the_corpus_has_only_curly(text: str, curly: str) -> None:
    assert normalized(text, set("dontab\u2019\u201c\u201d\u2010")) == curly


def test_a_known_character_stays_however_curly() -> None:
    text = "\u2018caf\u00e9\u2019 \u2014 \ufb01n\u2026"
    assert normalize_prompt(text, lambda _: True) == (text, 0)


def test_an_em_dash_is_a_dash_where_no_hyphen_is_known() -> None:
    assert normalized("a\u2014b", {"a", "b", "\u2013"}) == "a\u2013b"


def test_a_character_without_a_look_alike_stays() -> None:
    assert normalize_prompt("\u6708\U0001f600", PLAIN.__contains__) == ("\u6708\U0001f600", 0)


def test_each_folded_character_counts_once_however_it_is_spelled() -> None:
    assert normalize_prompt("\u2026\u2026 \u00e6 \u6708", PLAIN.__contains__) == (
        "...... ae \u6708",
        3,
    )


def test_line_endings_and_composition_are_put_right_uncounted() -> None:
    assert normalize_prompt("a\r\ne\u0301", {*PLAIN, "\u00e9"}.__contains__) == ("a\n\u00e9", 0)


@given(st.text())
def test_folding_what_was_folded_changes_nothing(text: str) -> None:
    once, _ = normalize_prompt(text, PLAIN.__contains__)
    assert normalize_prompt(once, PLAIN.__contains__) == (once, 0)


@given(st.text())
def test_folding_brings_in_no_unknown_character(text: str) -> None:
    unknown_before = {c for c in text if c not in PLAIN}
    composed = {c for c in normalized(text, set()) if c not in PLAIN}  # no more than NFC
    assert {c for c in normalized(text, PLAIN) if c not in PLAIN} <= unknown_before | composed


MARKS = "e\u1ea1\u0301\u0323\u0307\u0316\u0344\u0f71\u0f72\u0f73\u1112\u1161\u11ab"


@given(st.text(st.sampled_from(MARKS)) | st.text())
def test_where_all_is_known_the_text_is_composed_canonically(text: str) -> None:
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    assert normalize_prompt(text, lambda _: True) == (composed, 0)


def test_no_character_before_the_first_mark_is_changed_by_nfc() -> None:
    early = "".join(map(chr, range(ord(FIRST_MARK))))
    assert unicodedata.normalize("NFC", early) == early == composed(early)
    assert composed(f"e{FIRST_MARK}") == "è"
