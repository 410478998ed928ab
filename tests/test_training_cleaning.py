"""Cleaning: what is no verse is cut, counted and shown; verse is left as it is."""

import time

import pytest

from training.cleaning.cleaner import Cleaner
from training.cleaning.cuts import KINDS, MEANING, Cuts, Kind
from training.cleaning.gutenberg import GutenbergCutter
from training.data.document_parting import candidates, parted, shown_parting

STANZA = (
    "The heron waits beside the weir\nAnd counts the rings that widen there,\n"
    "The water bends, the reeds are near,\nA feather settles on the air."
)
PROSE = (
    "These lines were written in the autumn when the mill had stopped, and\n"
    "the author, who had lived beside it for eleven years, was asked by a\n"
    "neighbour to say something about the silence that had come upon it."
)

LONG_LINED = (
    "I go along the dark long river that goes on beyond the towns and past the furthest lamps,\n"
    "And every wharf and every crane and every shouting man that leans upon the rail to look,\n"
    "And I walk with them, and I am tired, and the river does not stop for either of us there."
)


def cleaned(text: str, **options: object) -> tuple[str, Cuts]:
    cleaner = Cleaner(**options)  # type: ignore[arg-type]
    return cleaner.clean(text)[0], cleaner.cuts


NOISE: dict[Kind, tuple[str, str]] = {
    "transcriber-notes": (
        f"{STANZA}\n\nTranscriber's Note:\n\nSpelling was kept as it was.",
        STANZA,
    ),
    "footnotes": (STANZA.replace("weir", "weir [1]") + "\n\n[Footnote 1: a low dam]", STANZA),
    "illustrations": (f"[Illustration: The heron\nby the weir]\n\n{STANZA}", STANZA),
    "page-numbers": (f"{STANZA}\n\n[Pg 12]\n\n{STANZA}", f"{STANZA}\n\n{STANZA}"),
    "line-numbers": (
        "\n".join(
            f"the line of night {'ab'[i % 2]}" + (f"  {i}" if i % 5 == 0 else "")
            for i in range(1, 21)
        ),
        "\n".join(f"the line of night {'ab'[i % 2]}" for i in range(1, 21)),
    ),
    "sites": (
        f"3 ContributorsWeir Lyrics\n{STANZA}\nYou might also like\n{STANZA}12Embed",
        f"{STANZA}\n{STANZA}",
    ),
    "time-stamps": (
        "[ti:Weir]\n"
        + "\n".join(f"[00:1{i}.00]{line}" for i, line in enumerate(STANZA.split("\n"))),
        STANZA,
    ),
    "chords": ("\n".join(f"Am    F/C   G7\n{line}" for line in STANZA.split("\n")), STANZA),
    "prose": (f"{PROSE}\n\n{STANZA}", STANZA),
    "markup": (
        f"<p>{STANZA.replace('rings', '<i>rings</i>').replace('near', 'n&eacute;ar')}</p>",
        STANZA.replace("near", "néar"),
    ),
}


@pytest.mark.parametrize("kind", NOISE)
def test_a_kind_of_noise_is_cut_and_counted_with_its_first_example(kind: Kind) -> None:
    noisy, verse = NOISE[kind]
    text, cuts = cleaned(noisy)
    assert text.strip("\n") == verse
    assert list(cuts.counts) == [kind]
    assert cuts.counts[kind].places >= 1
    assert cuts.counts[kind].example


@pytest.mark.parametrize("kind", NOISE)
def test_a_kind_that_is_to_be_kept_stays(kind: Kind) -> None:
    noisy, _ = NOISE[kind]
    assert cleaned(noisy, keep=[kind])[0] == noisy


def test_every_kind_but_the_files_own_is_tried_here_and_has_a_meaning() -> None:
    assert set(KINDS) == NOISE.keys() | {"gutenberg"} == MEANING.keys()


@pytest.mark.parametrize(
    "verse",
    [
        STANZA,
        LONG_LINED,
        "III\n\nThe third part of it\n\nIV\n\nThe fourth",  # numerals head parts
        "1\n\nthe first\n\n2\n\nthe second\n\n3\n\nthe third\n\n4\n\nthe fourth\n\n5\n\nand a last",
        "12\nmen in a boat\n13\nat the table",
        "In 1850\nHe was born in 1851\nand wed in 1890",
        "A\nBe\nC\nAm I a letter?",
        "Do you love me? [Y/N]\nI <3 you & you\nless < more > less",
        "snake_case and _ alone\n* * *\nthen the end",
        "Note: the bird\nIs gone.",
        f"VARIATIONS\n\n{STANZA}",
    ],
)
def test_verse_is_left_to_the_letter(verse: str) -> None:
    text, cuts = cleaned(verse)
    assert text == verse
    assert not cuts.counts


def test_a_tune_in_abc_notation_is_left_to_the_letter() -> None:
    tune = "X:1\nT:The Weir\nK:G\nG A B\nA B C\nG B D\n[G][A][B] 5"
    assert cleaned(tune)[0] == tune


def test_page_numbers_are_cut_only_where_they_count_pages_through_sentences() -> None:
    page = "\n".join(f"and so the river {'.' if i % 3 == 0 else 'winds,'}" for i in range(28))
    pages = "\n\n".join(f"{page}\nthat goes\n\n{number}" for number in range(41, 47))
    text, cuts = cleaned(pages)
    assert "\n42" not in text
    assert cuts.counts["page-numbers"].places == 6
    sonnets = "\n\n".join(
        f"{number}\n\n" + ("a line of it,\n" * 13 + "its end.") for number in range(41, 47)
    )
    assert cleaned(sonnets)[0] == sonnets


def test_notes_end_before_the_next_poem_and_its_title() -> None:
    notes = f'FOOTNOTES:\n\nSo the second edition.\n\nOld eds. "were."\n\nTHE WEIR\n\n{STANZA}'
    assert cleaned(notes)[0] == f"THE WEIR\n\n{STANZA}"


QUOTED = "\n".join(STANZA.splitlines()[:4])


@pytest.mark.parametrize(
    "note",
    [
        f'Compare the Weir:--\n\n"{QUOTED}"\n\nOld eds. "were."',
        f"Compare\n\nthe Weir, where he says--\n\n\u2018{QUOTED}",  # it goes on in the next one
        f'"{QUOTED}"\n\n--Cunningham.\n\nWholly.',
        f'"{QUOTED}"\n\nThe Weir, Book II. stanza 22.',
        f"'{QUOTED}'\n\nEd.]",
        f'So the first.\n\n"{QUOTED}"]',
    ],
)
def test_a_stanza_that_a_note_quotes_goes_with_it(note: str) -> None:
    assert cleaned(f"{STANZA}\n\nFOOTNOTES:\n\n{note}")[0] == STANZA
    assert cleaned(f"FOOTNOTES:\n\n{note}\n\nTHE WEIR\n\n{STANZA}")[0] == f"THE WEIR\n\n{STANZA}"


@pytest.mark.parametrize(
    "poem",
    [
        f'"{QUOTED}"',  # a poem that somebody says, with no word of a note around it
        f'THE WEIR\n\n"{QUOTED}"\n\n--Cunningham.',  # an epigraph
        QUOTED.replace(QUOTED.partition("\n")[0], '"' + QUOTED.partition("\n")[0] + '"'),
    ],
)
def test_a_poem_behind_notes_that_begins_with_quotation_marks_stays(poem: str) -> None:
    assert cleaned(f"FOOTNOTES:\n\nSo the second edition.\n\n{poem}")[0] == poem


def test_labels_lose_their_singers_or_go() -> None:
    song = "[Chorus: Ann & Bo]\nlow water\n\n[verse 2]\nhigh water\n[the weir]"
    assert cleaned(song)[0] == "[Chorus]\nlow water\n\n[Verse 2]\nhigh water\n[the weir]"
    assert cleaned(song, labels="drop")[0] == "low water\n\nhigh water\n[the weir]"


def test_tags_tell_title_and_author() -> None:
    cleaner = Cleaner()
    _, facts = cleaner.clean("[ti:Weir]\n[ar:Ann]\n[00:01.00]low\n[00:02.00]water")
    assert facts == {"title": "Weir", "author": "Ann"}
    _, facts = cleaner.clean("{title: Weir}\n{artist: Bo}\n[Am]low [G]water [Am]here")
    assert facts == {"title": "Weir", "author": "Bo"}


BOOK = "THE WEIR\n\n\n" + STANZA + "\n\n\n"
NEW = (
    "The Project Gutenberg EBook of The Weir\n\nTitle: The Weir\n\nAuthor: Ann Bo\n\n"
    "*** START OF THE PROJECT GUTENBERG EBOOK THE\nWEIR ***\n\nProduced by Somebody and others\n\n"
    f"{BOOK}End of the Project Gutenberg EBook of The Weir\n\n"
    "*** END OF THE PROJECT GUTENBERG EBOOK THE WEIR ***\n\n" + "The licence says so.\n" * 900
)
OLD = (
    "*****The Project Gutenberg Etext of The Weir*****\n\nWe need your help.\n\n"
    "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n"
    f"{BOOK}End of The Project Gutenberg Etext of The Weir\n"
)


@pytest.mark.parametrize(("text", "books"), [(NEW, 1), (OLD, 1), (NEW + OLD + NEW, 3)])
@pytest.mark.parametrize("size", [1 << 20, 1 << 16])
def test_gutenbergs_header_and_licence_go_in_joined_files_too(
    text: str, books: int, size: int
) -> None:
    facts: dict[str, str] = {}
    cuts = Cuts()
    lines = text.splitlines(keepends=True)
    pieces: list[str] = []
    held = ""
    for line in lines:
        held += line
        if len(held) >= size:
            pieces, held = [*pieces, held], ""
    left = "".join(GutenbergCutter(cuts, facts).cut(iter([*pieces, held])))
    assert left.split() == (BOOK * books).split()
    assert cuts.counts["gutenberg"].places >= books
    if text.startswith("The"):
        assert facts == {"title": "The Weir", "author": "Ann Bo"}


def test_verse_behind_an_end_without_a_licence_stays() -> None:
    cutter = GutenbergCutter(Cuts(), {})
    text = "End of the Project Gutenberg EBook\n" + STANZA
    assert "".join(cutter.cut(iter([text]))) == STANZA


@pytest.mark.parametrize(
    "text",
    [
        "<!--" * 50_000,
        "[<" + " " * 200_000,
        "a 5\n" + " " * 200_000,
        "[Footnote " * 20_000,
        "C G Am F " * 20_000 + "x",
        "_a " * 50_000,
        "[00:" * 50_000,
        "\f" + "\n" * 200_000 + "x",
    ],
    ids=range(8),
)
def test_cleaning_and_parting_take_time_that_grows_with_the_text(text: str) -> None:
    started = time.process_time()
    Cleaner().clean(text)
    list(parted([text], shown_parting(text, candidates(text))))
    assert time.process_time() - started < 5  # what grows with the square takes minutes


def test_the_anthology_is_verse(anthology: str) -> None:
    cleaner = Cleaner()
    poems = [poem.strip("\n") for poem in anthology.split("\n\n\n")]
    assert [cleaner.clean(poem)[0] for poem in poems] == poems
    assert not cleaner.cuts.counts
