"""Parting of texts into documents by what they show, and titles that stand apart."""

import pytest

from training.data.corpus_document import Document
from training.data.document_parting import (
    SHOWN,
    Parting,
    candidates,
    named_parting,
    parted,
    shown_parting,
)
from training.data.poem_titles import is_title, joined_titles, with_title

POEMS = [
    "THE WEIR\n\nThe heron waits beside the weir\nand counts the rings.\n\nHe waits.\nHe waits.",
    "THE MILL\n\nThe wheel has stopped,\nthe water goes on.\n\nIt goes,\nand goes.",
    "THE LOCK\n\nA boat comes in,\nthe gate goes down.\n\nIt waits,\nand goes.",
    "THE QUAY\n\nA rope,\na ring,\na stone.\n\nIt waits,\nand goes.",
]
TUNES = [f"X:{i}\nT:Tune {i}\nK:G\n|:GABc|d4:|\n" for i in range(1, 5)]
TITLED = [f"夜泊 {i}\n某人\n月落烏啼霜滿天\uff0c\n江楓漁火對愁眠。" for i in range(6)]


def parting_of(text: str) -> Parting:
    return shown_parting(text, candidates(text))


def documents(text: str, size: int = 1 << 20) -> list[str]:
    pieces: list[str] = []
    held = ""
    for line in text.splitlines(keepends=True):
        held += line
        if len(held) >= size:
            pieces, held = [*pieces, held], ""
    found = parted([*pieces, held], parting_of(text[:SHOWN]))
    return [document.strip("\n") for document in found if document.strip()]


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("\n\n\n".join(POEMS), "two blank lines", POEMS),
        ("\n\n".join(POEMS), "titles", POEMS),
        ("\n\n* * *\n\n".join(POEMS), "rules", POEMS),
        ("\n---\n".join(POEMS), "rules", POEMS),
        ("\n\f\n".join(POEMS), "form feeds", POEMS),
        ("".join(TUNES), "lines X: of tunes", [tune.strip("\n") for tune in TUNES]),
        ("\n".join(TUNES), "lines X: of tunes", [tune.strip("\n") for tune in TUNES]),
        ("\n\n".join(TITLED), "single blank lines", TITLED),
        (POEMS[0], "ends of files", [POEMS[0]]),
    ],
)
def test_poems_are_parted_by_what_the_text_shows(
    text: str, name: str, expected: list[str], size: int
) -> None:
    assert parting_of(text).name == name
    assert documents(text, size) == expected


@pytest.mark.parametrize(
    "poem",
    [
        "The heron,\nthe heron waits.\n\nHe waits,\nhe waits.\n\nStill,\nstill.\n\nO,\nstill.",
        "THE WEIR\n\nI\n\nThe heron waits,\nhe waits.\n\nII\n\nHe waits.\n\nIII\n\nStill,\nstill.",
        "He waits.\n\n---\n\nStill.",
    ],
)
def test_stanzas_and_parts_of_one_poem_stay_together(poem: str) -> None:
    assert documents(poem) == [poem]


def test_a_stray_pair_of_blank_lines_does_not_outvote_titled_blocks() -> None:
    text = "\n\n".join(TITLED * 60).replace("\n\n", "\n\n\n", 1)
    assert documents(text) == TITLED * 60


def test_two_blank_lines_far_behind_the_beginning_part_documents() -> None:
    long = "the sea,\n" * (SHOWN // 9 + 1)
    assert documents(f"{long}\n\nTwo") == [long.strip("\n"), "Two"]


def test_a_named_separator_decides() -> None:
    assert list(parted(["a\n%%\nb\n\n\nc"], named_parting("\n%%\n"))) == ["a", "b\n\n\nc"]


def joined(*texts: str) -> list[str]:
    return [document.text for document, _ in joined_titles(map(Document, texts))]


def test_a_title_apart_becomes_the_first_line_of_its_poem() -> None:
    assert joined("THE WEIR", "a\nb\nc", "II", "The Mill Wheel", "d\ne\nf") == [
        "THE WEIR\n\na\nb\nc",
        "II\n\nThe Mill Wheel\n\nd\ne\nf",
    ]


def test_what_titles_a_book_does_not_join_its_first_poem() -> None:
    book = "SONGS OF THE WEIR"
    assert joined(book, "THE MILL", "a\nb\nc") == [book, "THE MILL\n\na\nb\nc"]
    assert joined(book, "THE MILL\n\na\nb\nc") == [book, "THE MILL\n\na\nb\nc"]
    assert joined(f"{book}\nBY ANN", "a\nb\nc") == [f"{book}\nBY ANN", "a\nb\nc"]
    assert joined(book, "a\nb\nc") == [f"{book}\n\na\nb\nc"]  # it may be the poem's


def test_lists_of_titles_and_one_line_poems_stay_apart() -> None:
    contents = ["The Weir", "The Mill", "The Lock", "The Quay"]
    assert joined(*contents, "a\nb\nc") == [*contents, "a\nb\nc"]
    assert joined("The Weir", "The sea is wide tonight.") == [
        "The Weir",
        "The sea is wide tonight.",
    ]
    assert not is_title("the sea, the sea")
    assert not is_title("The sea is wide")


def test_a_title_that_a_file_tells_is_put_before_the_poem_once() -> None:
    assert with_title("The  Weir", "a\nb") == "The Weir\n\na\nb"
    assert with_title("The Weir", "THE WEIR.\n\na\nb") == "THE WEIR.\n\na\nb"
    assert with_title(None, "a") == with_title(" ", "a") == "a"
