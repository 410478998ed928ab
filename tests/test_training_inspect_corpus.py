"""Inspection of a corpus: what it says before training, at the terminal, as JSON and as a page."""

import json
from pathlib import Path

import pytest

from training.__main__ import main
from training.inspection.language_guess import guessed_language

POEM = "The Heron {n}\n\nThe heron {w} waits beside the weir\nAnd counts the {w} rings in there."
WORDS = ("grey", "tall", "slow", "wet", "thin", "old", "calm", "wild", "pale", "late")
HOSTILE = "<script>alert(1)</script>\n</pre><img src=x onerror=alert(2)>\n\x1b[31m&amp;lt;b"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    poems = [POEM.format(n=n, w=word) for n, word in enumerate(WORDS)]
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "poems.txt").write_text("\n\n\n".join([*poems, poems[0]]), encoding="utf-8")
    (texts / "old.txt").write_bytes(
        "Über den Fluß geht der Mond\nund naß ist das Gras, schön ist\n"
        "die Nacht für uns, ein süßer Hauch\nkommt über das Wasser".encode("cp1252")
    )
    (texts / "song.txt").write_text(
        "{title: Low Water}\n{artist: Ann}\n[Am]low [G]water [Am]here\n\n12Embed", encoding="utf-8"
    )
    (texts / "noise.bin").write_bytes(bytes(range(256)) * 8)
    (texts / "hostile.txt").write_text(HOSTILE + "\nA line\nTwo 3 < 4", encoding="utf-8")
    return texts


def inspected(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["inspect-corpus", *arguments]) == 0
    return capsys.readouterr().out


def test_the_facts_are_told_as_one_json_object(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = json.loads(inspected(capsys, str(folder), "--json"))
    assert facts["files"] == 5
    assert facts["reading"]["files"] == {"text, utf-8": 3, "text, windows-1252": 1}
    assert list(facts["reading"]["left_out"]) == [str(folder / "noise.bin")]
    kinds = {cut["kind"]: cut["places"] for cut in facts["reading"]["cuts"]}
    assert kinds["chords"] == 5
    assert kinds["sites"] == 1
    assert facts["duplicates"] == 1
    assert facts["documents"] == 13
    assert facts["reading"]["authors"] == {"Ann": 1}
    assert facts["language"] == "English"
    assert len(facts["poems"]) == 3
    assert facts["longest"]["characters"] >= facts["shortest"]["characters"]
    assert facts["shortest"] == {
        "title": "Low Water",
        "characters": 25,
        "lines": 2,
        "file": str(folder / "song.txt"),
    }
    assert 1 in facts["rarest_characters"].values()


def test_the_terminal_shows_every_file_left_out_and_no_control_character(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        (folder / f"bad{number}.txt").write_bytes(bytes(range(256)))
    out = inspected(capsys, str(folder))
    assert out.count("left out: ") == 13
    assert "\x1b" not in out
    assert "parted by: " in out
    assert "line lengths: mean" in out


def test_the_page_is_one_file_with_every_text_escaped(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    inspected(capsys, str(folder / "hostile.txt"), "--keep", "all", "--out", str(page))
    text = page.read_text(encoding="utf-8")
    assert "alert(1)" in text
    assert "<script" not in text
    assert "<img" not in text
    assert "http" not in text.replace("http-equiv", "")
    assert text.count("</pre>") == 1


def test_one_poem_is_inspected_too_and_nothing_to_read_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    poem = tmp_path / "poem.txt"
    poem.write_text("A line\nand another", encoding="utf-8")
    assert "documents: 1;" in inspected(capsys, str(poem))
    poem.write_text(" \n", encoding="utf-8")
    assert main(["inspect-corpus", str(poem)]) == 2
    assert "no visible character" in capsys.readouterr().err


def test_a_text_that_is_mostly_cut_stops_a_run_unless_it_is_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (
        "this is the story of a man who went along the river and did not see the\n"
        "heron that was standing there, since he was thinking of the letter which\n"
        "had come that morning and which he had not answered or even read to its\n"
        "end."
    )
    text = "\n\n\n".join([*(POEM.format(n=n, w=w) for n, w in enumerate(WORDS)), *[lines] * 12])
    path = tmp_path / "book.txt"
    path.write_text(text.replace("morning", "morning {}").format(*range(12)), encoding="utf-8")
    out = str(tmp_path / "data")
    assert main(["prepare", "--corpus", str(path), "--out", out]) == 2
    error = capsys.readouterr().err
    assert "% of the text would be cut as no verse" in error
    assert "--keep prose" in error
    assert "a run would stop: " in inspected(capsys, str(path))
    assert main(["prepare", "--corpus", str(path), "--out", out, "--anyway"]) == 0
    assert "cut: paragraphs of prose, 12 places" in capsys.readouterr().err
    assert main(["prepare", "--corpus", str(path), "--out", out, "--keep", "prose"]) == 0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The river goes to the sea and all of it is not full", "English"),
        ("Der Mond ist auf und nicht mit dem Wind ein Kind", "German"),
        ("Le vent dans les arbres est une voix qui ne dit pas", "French"),
        ("El viento y la luz de los campos que no se ven", "Spanish"),
        ("Я не знаю что это и как он на том берегу", "Russian"),
        ("月落烏啼霜滿天江楓漁火對愁眠", "Chinese"),
        ("ふるいけや かわずとびこむ 水の音", "Japanese"),
        ("zxqv brrt kkl", None),
        ("123 --", None),
    ],
)
def test_a_language_is_guessed_by_script_and_short_words(text: str, language: str | None) -> None:
    assert guessed_language(text) == language
