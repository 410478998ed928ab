"""The page at a first visit: one sentence on what it is, and a sample that is on no sheet."""

from typing import TYPE_CHECKING

import pytest
from sheet import (
    IN_A_BROWSER,
    KEY,
    OpenPage,
    expect,
    expect_connected,
    link_to,
    spans,
    text_of,
    written,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

MODULE = "import('/static/write/sample.js')"


@pytest.fixture
def first(open_page: OpenPage) -> "Page":
    """The page as somebody finds it who has never been there."""
    page = open_page(is_first=True, reduced_motion="reduce")
    expect(page.locator("#sample-keep")).to_have_attribute("aria-disabled", "false")
    return page


def test_a_first_visit_shows_a_poem_that_was_made_just_now(first: "Page", server: "Server") -> None:
    asked = first.evaluate(f"{MODULE}.then(({{ ASKED }}) => ASKED)")
    text = asked["prompt"] + written(server, **asked)
    assert first.text_content("#sample-text") == text
    expect(first.locator("#sample")).to_contain_text("a machine that has read much of it")
    expect(first.locator("#sample")).to_contain_text("written just now")
    assert text_of(first) == ""


def test_what_is_stored_for_want_of_a_service_is_what_the_model_writes(
    page: "Page", server: "Server"
) -> None:
    asked, stored = page.evaluate(f"{MODULE}.then(({{ ASKED, STORED }}) => [ASKED, STORED])")
    assert written(server, **asked, model="verse") == stored


def test_it_is_gone_with_the_first_letter_and_does_not_come_again(first: "Page") -> None:
    first.keyboard.press("Tab")  # the keyboard may walk to its buttons
    expect(first.locator("#sample")).to_be_visible()
    first.focus("#text")
    first.keyboard.press("A")
    expect(first.locator("#sample")).to_have_count(0)
    assert text_of(first) == "A"
    first.keyboard.press("Backspace")
    first.reload()
    expect_connected(first)
    expect(first.locator("#sample")).to_have_count(0)


def test_it_is_kept_where_one_asks_for_it_with_what_made_it(first: "Page") -> None:
    text = first.text_content("#sample-text")
    first.click("#sample-keep")
    expect(first.locator("#text")).to_be_focused()
    assert text_of(first) == text
    assert spans(first)[0] == ("mine", "The moon")
    assert spans(first)[1][0] == "machine"
    assert "seed=1" in link_to(first)
    first.click("#undo")
    assert text_of(first) == ""


def test_ones_own_line_begins_on_an_empty_sheet(first: "Page") -> None:
    first.click("#sample-start")
    expect(first.locator("#text")).to_be_focused()
    expect(first.locator("#sample")).to_have_count(0)
    assert text_of(first) == ""


def test_no_key_is_asked_for_a_sample_and_a_stored_one_is_shown(
    open_page: OpenPage, small: "Server"
) -> None:
    page = open_page(small.url, key=None, is_first=True, reduced_motion="reduce")
    page.click("#key-cancel")
    expect(page.locator("#sample")).to_contain_text(
        "as the model that comes with this page wrote it"
    )
    stored = page.evaluate(f"{MODULE}.then(({{ STORED }}) => STORED)")
    expect(page.locator("#sample-text")).to_contain_text(stored.splitlines()[0])
    expect(page.locator("#key-dialog")).to_be_hidden()
    assert KEY not in page.content()
