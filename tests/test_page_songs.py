"""Songs on the page: sections and their labels, choruses, verses like others, arrangements."""

import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sheet import IN_A_BROWSER, caret_to, compose, expect, spans, text_of, write

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

VERSE = (
    "I walked along the river in the rain,\nThe day was old,\nI saw the train,\nThe sea was cold."
)
CHORUS = "Oh carry me home,\nThe river knows the way."
SONG = f"[Verse 1]\n{VERSE}\n\n[Chorus]\n{CHORUS}"


@pytest.fixture(scope="module")
def server(worded_server: "Server") -> "Server":
    return worded_server


@pytest.fixture
def song(page: "Page") -> "Page":
    """The page with a song on it and its forms open."""
    write(page, SONG)
    page.click("#form-toggle")
    expect(page.locator("#form option")).not_to_have_count(0)
    return page


def analyzed(server: "Server", text: str, **fields: Any) -> Any:
    body = {"text": text, **fields}
    return requests.post(f"{server.url}/v1/analyze", json=body, timeout=30).json()


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("[Verse 1]", "verse"),
        ("[Verse 2: Somebody]", "verse"),
        ("  [chorus x2] ", "chorus"),
        ("[Pre Chorus]", "pre-chorus"),
        ("(Bridge)", "bridge"),
        ("Chorus:", "chorus"),
        ("CHORUS.", "chorus"),
        ("Verse II", "verse"),
        ("[Outro]", "outro"),
        ("Verse and prose", None),
        ("[And so she went]", None),
        ("Break my heart:", None),
        ("A bridge", None),
        ("Solo", None),
        ("", None),
    ],
)
def test_lines_that_name_sections_are_known(page: "Page", line: str, kind: str | None) -> None:
    script = "line => import('/static/text/sections.js').then(({ kindOf }) => kindOf(line))"
    assert page.evaluate(script, line) == kind


def test_labels_name_the_stanza_at_the_caret_or_what_comes_there(song: "Page") -> None:
    write(song, f"{VERSE}\n\n{CHORUS}\n")
    caret_to(song, 3)
    song.select_option("#section", "verse")
    song.click("#section-insert")
    caret_to(song, len(text_of(song)) - 5)
    song.select_option("#section", "chorus")
    song.click("#section-insert")
    assert text_of(song) == SONG + "\n"
    caret_to(song, len(SONG) + 1)
    song.select_option("#section", "verse")
    song.click("#section-insert")
    song.keyboard.type("And on")
    assert text_of(song) == f"{SONG}\n\n[Verse 2]\nAnd on"


def test_labels_are_not_sent_as_verse(song: "Page") -> None:
    bodies: dict[str, Any] = {}

    def note(request: "Request") -> None:
        bodies[request.url.rsplit("/", 1)[1]] = request.post_data_json

    write(song, SONG + "\n\n[Verse 2]\n")
    song.on("request", note)
    song.click("#form-lines")
    expect(song.locator("#poem-lines li")).not_to_have_count(0)
    song.click("#form-lines")
    text = compose(song, "#continue")
    song.click("#undo")
    poem = compose(song)
    song.remove_listener("request", note)
    assert text.startswith(SONG + "\n\n[Verse 2]\n")
    assert poem.startswith(SONG + "\n\n[Verse 2]\n")
    for sent in (bodies["generate"]["prompt"], bodies["poems"]["opening"]):
        assert sent == f"{VERSE}\n\n{CHORUS}\n\n"
    assert "[" not in bodies["analyze"]["text"]


def test_a_chorus_comes_again_in_the_ink_of_those_who_wrote_it(song: "Page") -> None:
    write(song, f"{SONG}\n")
    chorus = compose(song, "#continue").split("[Chorus]\n")[1]
    ink = spans(song)
    caret_to(song, len(text_of(song)))
    song.click("#chorus-again")
    assert text_of(song).split("[Chorus]\n")[2] == chorus.strip()
    at = [text for _, text in ink].index("[Chorus]")
    again = [each for each in ink[at:] if each[1].strip()]
    assert [each for each in spans(song) if each[1].strip()][-len(again) :] == again
    song.click("#undo")
    assert text_of(song).endswith(f"[Chorus]\n{chorus}")


def test_a_chorus_fills_a_label_that_waits_for_it(song: "Page") -> None:
    write(song, SONG + "\n\n[Chorus]\n")
    song.click("#chorus-again")
    assert text_of(song) == f"{SONG}\n\n[Chorus]\n{CHORUS}"


def test_a_changed_chorus_is_offered_to_the_others_as_one_step(song: "Page") -> None:
    head, gap = SONG.split("[Chorus]", maxsplit=1)[0], "\n\n[Bridge]\nGo on\n\n"
    text = f"{head}[Chorus]\n{CHORUS}{gap}[Chorus]\n{CHORUS}{gap}[Chorus]\n{CHORUS}"
    write(song, text, at=text.index(gap))
    song.focus("#text")
    offer = song.locator("#chorus-offer")
    expect(offer).to_have_attribute("data-watched", "")
    expect(offer).to_be_hidden()
    song.keyboard.type(" Home.")
    expect(offer).to_contain_text("There are 2 others as this chorus was.")
    changed = text.replace(CHORUS, CHORUS + " Home.")
    one = text.replace(CHORUS, CHORUS + " Home.", 1)
    assert text_of(song) == one
    song.click("#chorus-all")
    assert text_of(song) == changed
    expect(offer).to_be_hidden()
    expect(song.locator("#text")).to_be_focused()
    caret = "document.getElementById('text').selectionEnd"
    assert song.evaluate(caret) == one.index(gap)
    song.click("#undo")
    assert text_of(song) == one
    song.click("#redo")
    assert text_of(song) == changed


def test_a_chorus_may_be_left_as_another_one(song: "Page") -> None:
    write(song, "\n\n".join([f"[Chorus]\n{CHORUS}"] * 3))
    expect(song.locator("#chorus-offer")).to_have_attribute("data-watched", "")
    song.focus("#text")
    song.keyboard.type("!")
    told = song.locator("#chorus-told")
    expect(told).to_have_text("There are 2 others as this chorus was.")
    song.click("#chorus-leave")
    expect(song.locator("#chorus-offer")).to_be_hidden()
    caret_to(song, len(f"[Chorus]\n{CHORUS}"))
    song.keyboard.type("?")
    expect(told).to_have_text("There is another chorus as this one was.")
    song.click("#chorus-all")
    first = f"[Chorus]\n{CHORUS}?\n\n"
    assert text_of(song) == f"{first}{first}[Chorus]\n{CHORUS}!"


def test_another_verse_is_like_the_one_at_the_caret(song: "Page", server: "Server") -> None:
    caret_to(song, 15)
    text = compose(song, "#form-another")
    verse = text.removeprefix(f"[Verse 1]\n{VERSE}\n\n[Verse 2]\n").removesuffix(
        f"\n\n[Chorus]\n{CHORUS}"
    )
    assert verse != text
    model, like = (analyzed(server, each) for each in (VERSE, verse))
    assert like["scheme"] == model["scheme"] == "ABAB"
    for one, other in zip(model["lines"], like["lines"], strict=True):
        assert one["syllables"][0] in other["syllables"]
    song.click("#undo")
    assert text_of(song) == SONG
    write(song, f"{SONG}\n\n[Verse 2]\n")
    text = compose(song, "#form-another")
    assert text.startswith(f"{SONG}\n\n[Verse 2]\n")
    assert analyzed(server, text.split("[Verse 2]\n")[1])["scheme"] == "ABAB"


def test_a_song_is_written_as_it_was_arranged(song: "Page", server: "Server") -> None:
    write(song, "")
    song.select_option("#form", "own-song")
    song.fill("#form-sections", "verse, chorus, verse, chorus")
    song.fill("[data-kind=verse]", "AA 6")
    song.fill("[data-kind=chorus]", "-A-A 4 5")
    expect(song.locator("#form-missing")).to_have_text("")
    text = compose(song)
    labels = re.findall(r"^\[.*\]$", text, re.MULTILINE)
    assert labels == ["[Verse 1]", "[Chorus]", "[Verse 2]", "[Chorus]"]
    parts = [part.split("\n", 1)[1] for part in text.split("\n\n")]
    assert [part.count("\n") + 1 for part in parts] == [2, 4, 2, 4]
    assert parts[1] == parts[3]
    line = {"rhyme": "A", "syllables": 6}
    for verse in (parts[0], parts[2]):
        spec = {"stanzas": [[line, line]]}
        assert analyzed(server, verse, spec=spec)["report"]["ok"]
    caret_to(song, len(text))
    expect(song.locator("#form-missing")).to_contain_text("Line 12 wants line 6 again")
    song.click("#form-lines")
    expect(song.locator("#poem-lines .verdict")).to_have_text(["✓"] * 12)


def test_what_is_missing_of_a_song_gets_its_labels(song: "Page") -> None:
    song.select_option("#form", "own-song")
    song.fill("#form-sections", "verse chorus")
    song.fill("[data-kind=verse]", "- 5")
    song.fill("[data-kind=chorus]", "- 5")
    write(song, "[Verse 1]\nA rose in the rain.")
    song.click("#form-lines")
    expect(song.locator("#poem-lines li")).to_have_count(2)
    text = compose(song, "#form-rest")
    assert re.fullmatch(r"\[Verse 1\]\nA rose in the rain\.\n\n\[Chorus\]\n[^\n]+", text)


def test_an_arrangement_is_taken_from_the_sheet(song: "Page") -> None:
    song.select_option("#form", "own-song")
    song.click("#form-measure")
    expect(song.locator("#form-sections")).to_have_value("verse chorus")
    expect(song.locator("[data-kind=verse]")).to_have_value("ABAB 10 4 4 4")
    expect(song.locator("[data-kind=chorus]")).to_have_value("-- 5 6")
    expect(song.locator("#form-missing")).to_contain_text("Line 6 wants 6 syllables")


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        (
            "[data-kind=verse]",
            "ABAB eight",
            "The verse is “ABAB eight”, and should be rhyme letters",
        ),
        ("[data-kind=verse]", "ABAB 31", "1 to 30"),
        ("#form-sections", "", "Which sections should the song have?"),
        ("#form-sections", "verse " * 14, "more than 26 rhymes"),
        ("[data-kind=bridge]", "-" * 41, "The bridge is"),
    ],
)
def test_an_arrangement_that_cannot_be_is_told(
    song: "Page", field: str, value: str, told: str
) -> None:
    song.select_option("#form", "own-song")
    song.fill(field, value)
    song.click("#form-write")
    expect(song.locator("#notice")).to_contain_text(told)
    assert text_of(song) == SONG
