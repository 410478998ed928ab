"""Syllables, rhyme letters and copied passages beside and in the lines of the page's sheet."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests
from sheet import IN_A_BROWSER, OpenPage, expect, text_of, write, write_at_once

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

VERSE = "I walked along the river in the rain\nThe lamps were lit\nAnd every window called my name"
CHORUS = "Oh carry me home\nThe river knows the way\nOh carry me\nBefore the break of day"
SONG = f"[Verse 1]\n{VERSE}\n\nChorus:\n{CHORUS}\n"
COPY = "A thing of beauty is a joy for ever"


@pytest.fixture
def counted(page: "Page") -> "Page":
    """The page with its margin on."""
    page.check("#show-counts")
    return page


@pytest.fixture
def asked(counted: "Page") -> Iterator[list[Any]]:
    """Bodies that the page sends to be analyzed."""
    bodies: list[Any] = []

    def note(request: "Request") -> None:
        if request.url.endswith("/v1/analyze"):
            bodies.append(request.post_data_json)

    counted.on("request", note)
    yield bodies
    counted.remove_listener("request", note)


def margin(page: "Page") -> list[tuple[str, str]]:
    """What stands beside each line: its rhyme letter and its syllables."""
    script = "all => all.map(({dataset}) => [dataset.rhyme ?? '', dataset.syllables ?? ''])"
    found = page.locator("#ink > div").evaluate_all(script)
    return [(rhyme, syllables) for rhyme, syllables in found]


def wait_for_margin(page: "Page", count: int) -> None:
    expect(page.locator("#ink > div[data-syllables]")).to_have_count(count)


def test_each_line_has_what_the_service_says_and_labels_have_nothing(
    counted: "Page", server: "Server"
) -> None:
    write(counted, SONG)
    wait_for_margin(counted, 7)
    expected = [("", "")]
    for stanza, after in ((VERSE, 2), (CHORUS, 1)):
        answer = requests.post(f"{server.url}/v1/analyze", json={"text": stanza}, timeout=30)
        lines = answer.json()["lines"]
        expected += [(line["rhyme"].replace("-", ""), str(line["syllables"][0])) for line in lines]
        expected += [("", "")] * after
    assert margin(counted) == expected
    assert ("A", "6") in expected  # so there is something to see


def test_what_is_typed_is_followed_and_only_its_stanza_is_asked_for(
    counted: "Page", asked: list[Any]
) -> None:
    write(counted, SONG, at=len("[Verse 1]\n") + VERSE.index("\n"))
    wait_for_margin(counted, 7)
    before = margin(counted)
    asked.clear()
    counted.focus("#text")
    counted.keyboard.type(" again", delay=30)
    expect(counted.locator("#ink > div").nth(1)).to_have_attribute("data-syllables", "12")
    after = margin(counted)
    assert [old == new for old, new in zip(before, after, strict=True)].count(False) == 1
    first = "I walked along the river in the rain"
    for body in asked:
        assert body["text"].startswith(first)
        assert "Oh carry" not in body["text"]
    assert len(asked) <= 3


def test_a_number_stands_at_the_first_row_of_a_line_that_wraps(counted: "Page") -> None:
    long = "The lamps were lit, the boats were going by, " * 6
    write(counted, f"{long}\nThe end")
    wait_for_margin(counted, 2)
    line = counted.locator("#ink > div").first
    box = line.bounding_box()
    last = counted.locator("#ink > div").last.bounding_box()
    assert box is not None
    assert last is not None
    assert box["height"] > 2 * last["height"]
    assert line.evaluate("each => getComputedStyle(each, '::before').top") == "0px"
    area, ink = (counted.locator(each).bounding_box() for each in ("#text", "#ink"))
    assert area == ink


def test_two_thousand_lines_have_their_numbers(counted: "Page", asked: list[Any]) -> None:
    words = ["rain", "sun", "moon", "wind", "sea", "sky", "night", "day", "rose", "song"]
    stanzas = [
        f"The {a} is on the {b}\nAnd so it goes\nAnd {b} and {a}" for a in words for b in words
    ]
    write_at_once(counted, "\n\n".join(stanzas * 7))
    wait_for_margin(counted, 2100)
    assert len(asked) <= 5
    for number in (1, 1000):
        counted.evaluate("at => document.getElementById('text').setSelectionRange(at, at)", number)
        counted.focus("#text")
        counted.keyboard.type("o")
    expect(counted.locator("#ink > div[data-syllables]")).to_have_count(2100)


def test_copied_passages_are_marked_in_the_lines_and_told_with_their_title(
    counted: "Page", server: "Server"
) -> None:
    text = f"My own line \U0001f319 of\n\n{COPY};\nand mine again"
    write(counted, text)
    answer = requests.post(f"{server.url}/v1/analyze", json={"text": text}, timeout=30).json()
    (run,) = answer["copied"]["flagged"]
    entry = counted.locator("#copied-list li")
    expect(counted.locator("#copied-count")).to_contain_text("1 passage stands word for word")
    expect(entry).to_have_text(f"“{COPY}” {run['title']}")
    marked = "[...CSS.highlights.get('copied')].map(range => range.toString()).join('|')"
    assert counted.evaluate(marked) == COPY
    counted.click("#copied-count")
    entry.locator("button").click()
    selected = (
        "(({value, selectionStart, selectionEnd}) => value.slice(selectionStart, selectionEnd))"
    )
    assert counted.evaluate(f"{selected}(document.getElementById('text'))") == COPY
    counted.keyboard.type("Mine")
    expect(counted.locator("#copied")).to_be_hidden()
    assert counted.evaluate("CSS.highlights.has('copied')") is False
    assert text_of(counted) == text.replace(COPY, "Mine")


def test_the_margin_is_as_it_was_left(open_page: OpenPage) -> None:
    page = open_page()
    write(page, CHORUS)
    page.click("#form-toggle")
    page.click("#form-counts")
    wait_for_margin(page, 4)
    expect(page.locator("#form-counts")).to_have_attribute("aria-pressed", "true")
    page.reload()
    wait_for_margin(page, 4)
    page.uncheck("#show-counts")
    wait_for_margin(page, 0)
