"""Text statistics: every figure beside a small text in which it can be counted by eye."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.text_statistics import stanzas_of, text_statistics, words

POEM = "Red rose, red rose\nthe moon\n\n\nRed rose, red rose\nO\u2019er the sea\nthe moon"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't, O\u2019er 'tis", ["don't", "o'er", "tis"]),
        ("snake_case x2y 1984 \u2014", ["snake", "case", "x", "y"]),
        ("\u00c7a STRASSE", ["\u00e7a", "strasse"]),
        ("\u0939\u093f\u0928\u094d\u0926\u0940", ["\u0939\u093f\u0928\u094d\u0926\u0940"]),
        ("\u5e8a\u524d\u660e\uff0c\u6708", ["\u5e8a\u524d", "\u524d\u660e", "\u6708"]),
        ("a\u6708\u5149b", ["a", "\u6708\u5149", "b"]),
        ("", []),
        ("12 ... !?", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert list(words(text)) == expected


def test_stanzas_are_runs_of_lines() -> None:
    assert stanzas_of("\n a \nb\n \n\nc\n") == [["a", "b"], ["c"]]
    assert stanzas_of(" \n\n") == []


def test_every_figure_of_a_small_poem() -> None:
    form = text_statistics([POEM, "a\n"], {"red", "rose", "the"})
    assert (form.characters, form.documents, form.lines) == (len(POEM) + 2, 2, 6)
    assert form.words == 16
    assert form.real_words == pytest.approx(11 / 16)
    assert form.distinct_words[0] == pytest.approx(7 / 16)  # red rose the moon o'er sea a
    # 14 pairs: red rose (4), rose red (2), rose the, the moon (2), moon red, rose o'er,
    # o'er the, the sea, sea the
    assert form.distinct_words[1] == pytest.approx(9 / 14)
    assert form.repeated_lines == pytest.approx(2 / 6)
    assert form.stanza_lines is not None
    assert (form.stanza_lines.mean, form.stanza_lines.p50) == (2, 2)
    assert form.document_lines is not None
    assert (form.document_lines.mean, form.document_lines.sd) == (3, 2)
    assert form.line_characters is not None
    assert form.line_characters.mean == pytest.approx((18 + 8 + 18 + 12 + 8 + 1) / 6)


def test_the_order_of_documents_changes_no_share(anthology: str) -> None:
    documents = anthology[:6000].split("\n\n\n")
    one, other = (text_statistics(each, {"the", "a"}) for each in (documents, documents[::-1]))
    assert (one.real_words, one.distinct_words) == (other.real_words, other.distinct_words)
    assert one.repeated_lines == other.repeated_lines


def test_a_text_among_its_own_words_is_real(anthology: str) -> None:
    assert text_statistics([anthology], set(words(anthology))).real_words == 1
    assert text_statistics([anthology], ()).real_words == 0


def test_chinese_words_are_pairs_that_were_seen() -> None:
    known = set(words("\u5e8a\u524d\u660e\u6708\u5149"))
    assert text_statistics(["\u660e\u6708\u5149"], known).real_words == 1
    assert text_statistics(["\u6708\u660e\u5149"], known).real_words == 0


@pytest.mark.parametrize("documents", [[], [""], [" \n\n "]])
def test_what_there_is_nothing_to_count_for_is_none(documents: list[str]) -> None:
    form = text_statistics(documents, {"a"})
    assert (form.words, form.lines) == (0, 0)
    assert form.real_words is form.repeated_lines is None
    assert form.line_characters is form.stanza_lines is None
    assert set(form.distinct_words) == {None}


def test_one_line_has_no_spread() -> None:
    form = text_statistics(["one line"], ())
    assert form.line_characters is not None
    assert (form.line_characters.mean, form.line_characters.sd) == (8, 0)
    assert form.repeated_lines == 0
    assert form.distinct_words == (1, 1, None, None)


def test_the_length_of_an_excerpt_says_nothing() -> None:
    assert text_statistics([POEM], (), are_whole=False).document_lines is None


@given(st.lists(st.text("ab \n\u6708", max_size=40), max_size=4))
@settings(max_examples=40, deadline=None)
def test_shares_are_shares(documents: list[str]) -> None:
    form = text_statistics(documents, {"a"})
    shares = (form.real_words, form.repeated_lines, *form.distinct_words)
    assert all(share is None or 0 <= share <= 1 for share in shares)
