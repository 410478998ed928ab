"""Reading the sheet aloud, by a voice that the tests put in: Chromium without a head has none."""

from typing import TYPE_CHECKING

import pytest
from sheet import IN_A_BROWSER, OpenPage, caret_to, expect, expect_connected, text_of, write

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

VOICE = """
    const speech = Object.assign(new EventTarget(), {
        voices: [], said: [], now: null,
        getVoices() { return this.voices; },
        speak(utterance) {
            this.said.push([utterance.text, utterance.lang, utterance.rate]);
            this.now = utterance;
        },
        cancel() {
            const { now } = this;
            this.now = null;
            now?.dispatchEvent(new Event('error'));
        },
        end() { this.now.dispatchEvent(new Event('end')); },
        find() {
            this.voices = [{ lang: 'en-GB' }];
            this.dispatchEvent(new Event('voiceschanged'));
        },
    });
    Object.defineProperty(window, 'speechSynthesis', { value: speech });
"""


@pytest.fixture
def speaking(open_page: OpenPage, server: "Server") -> "Page":
    """A page whose browser has got a voice."""
    page = open_page("about:blank", key=None)
    page.add_init_script(VOICE)
    page.goto(server.url + "/")
    expect_connected(page)
    expect(page.locator("#read-aloud")).to_be_hidden()
    page.evaluate("speechSynthesis.find()")
    return page


def said(page: "Page") -> list[str]:
    return [text for text, _, _ in page.evaluate("speechSynthesis.said")]


def expect_marked(page: "Page", text: str | None) -> None:
    if text is None:
        expect(page.locator("#ink .marked")).to_have_count(0)
        expect(page.locator("#aloud")).to_be_hidden()
    else:
        expect(page.locator("#ink .marked")).to_have_text(text)


def end_of_line(page: "Page") -> None:
    page.evaluate("speechSynthesis.end()")


def test_there_is_no_button_without_a_voice(page: "Page") -> None:
    assert page.evaluate("speechSynthesis.getVoices()") == []
    expect(page.locator("#read-aloud")).to_be_hidden()


def test_lines_are_read_from_the_carets_on_and_marked(speaking: "Page") -> None:
    page = speaking
    write(page, "Not this\nThe moon\n\n***\n春眠不覺曉\nЖди\n", at=12)
    page.click("#read-aloud")
    expect(page.locator("#aloud-pause")).to_be_focused()
    for line in ("The moon", "春眠不覺曉", "Жди"):
        expect_marked(page, line)
        assert said(page)[-1] == line
        end_of_line(page)
    expect_marked(page, None)
    expect(page.locator("#text")).to_be_focused()
    assert [lang for _, lang, _ in page.evaluate("speechSynthesis.said")] == ["en", "zh", "ru"]


def test_reading_pauses_and_its_pace_is_kept(speaking: "Page") -> None:
    page = speaking
    write(page, "One\nTwo\nThree", at=0)
    page.click("#read-aloud")
    end_of_line(page)
    page.click("#aloud-pause")
    assert page.evaluate("speechSynthesis.now") is None
    expect_marked(page, "Two")
    page.click("#aloud-pause")
    page.select_option("#aloud-rate", "0.75")
    assert page.evaluate("speechSynthesis.said.at(-1)") == ["Two", "en", 0.75]
    assert said(page) == ["One", "Two", "Two", "Two"]
    page.keyboard.press("Escape")
    expect_marked(page, None)
    assert page.evaluate("speechSynthesis.now") is None
    page.reload()
    expect(page.locator("#aloud-rate")).to_have_value("0.75")


def test_the_line_stays_in_sight(speaking: "Page") -> None:
    page = speaking
    write(page, "\n".join(f"line {number}" for number in range(80)), at=0)
    page.click("#read-aloud")
    for number in range(40):
        expect_marked(page, f"line {number}")
        end_of_line(page)
    expect(page.locator("#ink .marked")).to_be_in_viewport()


def test_edits_elsewhere_move_the_line_and_those_in_it_end_the_reading(speaking: "Page") -> None:
    page = speaking
    write(page, "One\nTwo\nThree", at=4)
    page.click("#read-aloud")
    caret_to(page, 0)
    page.keyboard.type("Zero\n")
    expect_marked(page, "Two")
    end_of_line(page)
    expect_marked(page, "Three")
    caret_to(page, len(text_of(page)))
    page.keyboard.type("!")
    expect_marked(page, None)
    assert page.evaluate("speechSynthesis.now") is None


def test_another_view_ends_the_reading(speaking: "Page") -> None:
    page = speaking
    write(page, "One\nTwo", at=0)
    page.click("#read-aloud")
    page.click("#tab-compare")
    page.click("#tab-write")
    expect_marked(page, None)
    assert page.evaluate("speechSynthesis.now") is None
