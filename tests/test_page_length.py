"""How long the page's texts become, and words that do not come."""

import re
from typing import TYPE_CHECKING

import pytest
from sheet import (
    IN_A_BROWSER,
    OpenPage,
    expect,
    go_on,
    link_to,
    seed_of,
    set_field,
    text_of,
    write,
    written,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

FREE = {"max_lines": None, "max_stanzas": None, "soft_end": None}
STANZA = {"max_stanzas": 1, "soft_end": 600, "max_tokens": 1000}


def test_a_text_ends_with_a_stanza_unless_told_otherwise(page: "Page", server: "Server") -> None:
    write(page, "The moon")
    text = go_on(page)
    assert text == "The moon" + written(server, prompt="The moon", seed=seed_of(page), **STANZA)
    assert "\n\n" not in text
    assert text == text.rstrip()
    page.select_option("#length-unit", "lines")
    page.click("#defaults")
    expect(page.locator("#length-unit")).to_have_value("stanzas")
    expect(page.locator("#length-number")).to_have_value("1")


@pytest.mark.parametrize(
    ("unit", "number", "fields"),
    [
        ("lines", "2", {"max_lines": 2, "max_tokens": 400}),
        ("stanzas", "2", {"max_stanzas": 2, "soft_end": 1200, "max_tokens": 2000}),
        ("about", "50", {"soft_end": 50, "max_tokens": 450}),
        ("exactly", "20", {"max_tokens": 20}),
        ("poem", "", {"soft_end": 4000, "max_tokens": 4400}),
    ],
)
def test_a_length_is_what_is_asked_for(
    page: "Page", server: "Server", unit: str, number: str, fields: dict[str, int]
) -> None:
    set_field(page, "seed", 3)
    page.select_option("#length-unit", unit)
    if number:
        page.fill("#length-number", number)
    with page.expect_request("**/v1/generate") as asked:
        write(page, "The moon")
        text = go_on(page)
    body = asked.value.post_data_json
    assert body is not None
    assert {name: body[name] for name in (*FREE, "max_tokens")} == {**FREE, **fields}
    assert text == "The moon" + written(server, prompt="The moon", seed=3, **fields)
    if unit == "lines":
        assert text.count("\n") == 1
    expect(page.locator("#length-unit")).to_have_value(unit)


def test_fields_that_are_no_length_of_the_list_are_told_as_ones_own(page: "Page") -> None:
    set_field(page, "max_lines", 7)
    expect(page.locator("#length-unit")).to_have_value("own")
    expect(page.locator("#length-number")).to_be_hidden()
    page.select_option("#length-unit", "lines")
    expect(page.locator("#field-max_lines")).to_have_value("4")
    expect(page.locator("#field-max_stanzas")).to_have_value("")


@pytest.mark.parametrize("number", ["", "many", "0", "1,5"])
def test_a_number_that_is_none_is_told(page: "Page", number: str) -> None:
    page.select_option("#length-unit", "lines")
    page.fill("#length-number", number)
    expect(page.locator("#length-fault")).to_contain_text("Lines")
    expect(page.locator("#length-number")).to_have_attribute("aria-invalid", "true")
    write(page, "x")
    page.click("#continue")
    expect(page.locator("#notice")).to_contain_text("Lines")
    assert text_of(page) == "x"
    page.fill("#length-number", "2")
    expect(page.locator("#length-fault")).to_have_text("")


def test_words_to_avoid_do_not_come(page: "Page", server: "Server") -> None:
    set_field(page, "avoid", "the, And; of\nlove*")
    set_field(page, "seed", 2)  # of which more than a few lines come
    set_field(page, "max_tokens", 400)
    write(page, "The moon and")
    text = go_on(page)[len("The moon and") :]
    assert len(text) > 100
    assert not re.search(r"\b(the|and|of|love\w*)\b", text, re.IGNORECASE)
    avoid = ["the", "And", "of", "love*"]
    asked = {"prompt": "The moon and", "seed": seed_of(page), "max_tokens": 400, "avoid": avoid}
    assert text == written(server, **asked)


def test_length_and_words_to_avoid_are_kept_and_go_with_a_link(open_page: OpenPage) -> None:
    page = open_page()
    page.select_option("#length-unit", "lines")
    page.fill("#length-number", "3")
    set_field(page, "avoid", "the, of the sea")
    write(page, "The moon")
    text = go_on(page)
    page.reload()
    expect(page.locator("#length-unit")).to_have_value("lines")
    expect(page.locator("#length-number")).to_have_value("3")
    expect(page.locator("#field-avoid")).to_have_value("the, of the sea")
    other = open_page(link_to(page))
    expect(other.locator("#text")).to_have_value(text)
    expect(other.locator("#field-avoid")).to_have_value("the, of the sea")


def test_next_lines_are_whole_lines(page: "Page", server: "Server") -> None:
    set_field(page, "seed", 5)
    write(page, "The moon is high")
    page.click("#next-line")
    ways = page.locator(".way-text")
    expect(ways).to_have_count(3)
    expect(page.locator("#continue")).to_have_attribute("aria-disabled", "false")
    line = {"prompt": "The moon is high\n", "max_lines": 1, "max_tokens": 200, "min_tokens": 20}
    for index in range(3):
        assert (
            ways.nth(index).inner_text().strip() == written(server, seed=5 + index, **line).strip()
        )


def test_what_is_left_of_a_text_that_broke_off_is_asked_for(page: "Page") -> None:
    script = "async ([ends, text]) => (await import('/static/text/lines.js')).endsLeft(ends, text)"
    nothing = {"prompt": "The sea", "max_tokens": 500, **FREE}
    text = "one\ntwo\n\nthree\nfo"
    left = {"max_tokens": 500 - len(text), **FREE}
    assert page.evaluate(script, [nothing, text]) == left
    assert page.evaluate(script, [{**nothing, "max_lines": 5}, text]) == {**left, "max_lines": 2}
    asked = {**nothing, "max_stanzas": 3, "soft_end": 10}
    assert page.evaluate(script, [asked, text]) == {**left, "max_stanzas": 2, "soft_end": 0}
    for prompt, stanzas in (("", 3), ("THE ", 3), ("\n", 3), ("Now\n", 2)):  # that are left
        begun = {**asked, "prompt": prompt}
        assert page.evaluate(script, [begun, "SEA\n\nthree\nfo"])["max_stanzas"] == stanzas


def test_a_long_way_is_shown_from_a_lines_beginning_up_to_a_lines_end(page: "Page") -> None:
    set_field(page, "max_tokens", 600)
    set_field(page, "min_tokens", 600)
    write(page, "The moon")
    go_on(page)
    text = go_on(page, "#retry").removeprefix("The moon")
    shown = page.locator(".way-text").nth(1).text_content()
    assert shown is not None
    assert shown.endswith("\n…")
    assert shown.startswith("The moon")
    assert text.startswith(shown.removeprefix("The moon").removesuffix("…"))
