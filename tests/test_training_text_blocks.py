"""Blocks of formatted documents: paragraphs are lines or stanzas, as the document shows."""

import pytest

from training.texts.text_blocks import Block, text_of


def text(*paragraphs: str) -> str:
    return text_of([Block(each) for each in paragraphs])


@pytest.mark.parametrize(
    ("paragraphs", "expected"),
    [
        (("a", "b", "", "c", "d"), "a\nb\n\nc\nd"),
        (("a", "b", "", "", "c"), "a\nb\n\n\nc"),
        (("a\nb", "c\nd"), "a\nb\n\nc\nd"),
        (("a\nb", "c"), "a\nb\n\nc"),
        (("a\nb", "", "c\nd", "", "", "e\nf"), "a\nb\n\nc\nd\n\n\ne\nf"),
        (("a\nb", "c\nd", "", "e\nf", "g\nh"), "a\nb\n\nc\nd\n\n\ne\nf\n\ng\nh"),
        (("a", "b", "c\nd", "e", "f", "", "g"), "a\nb\nc\nd\ne\nf\n\ng"),
        (("", "", "a"), "a"),
        (("a", "\u00a0", "b"), "a\n\nb"),
    ],
)
def test_paragraphs_are_stanzas_where_those_of_several_lines_meet(
    paragraphs: tuple[str, ...], expected: str
) -> None:
    assert text(*paragraphs) == expected


def test_two_blank_lines_stand_before_a_heading_and_one_behind() -> None:
    blocks = [Block("A", is_heading=True), Block("a"), Block("B", is_heading=True), Block("b")]
    assert text_of(blocks) == "A\n\na\n\n\nB\n\nb"


def test_neighbouring_headings_are_one_blank_line_apart() -> None:
    assert text_of([Block("A", is_heading=True), Block("B", is_heading=True)]) == "A\n\nB"


def test_more_blank_lines_of_the_document_itself_stay() -> None:
    blocks = [Block("a"), Block(""), Block(""), Block(""), Block("B", is_heading=True), Block("b")]
    assert text_of(blocks) == "a\n\n\n\nB\n\nb"


def test_spaces_at_ends_go_and_hard_ones_at_beginnings_are_spaces() -> None:
    assert text("\u00a0\u00a0a \u00a0b \t", "  c\u00a0") == "  a \u00a0b\n  c"
