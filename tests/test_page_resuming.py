"""Streams that break under the page: it goes on with them by itself, and nobody sees a seam."""

import re
from typing import TYPE_CHECKING, Any

import pytest
from page_routes import asked_by, cut_behind, cut_in_turn, goes_on, routed
from sheet import (
    IN_A_BROWSER,
    caret_to,
    compose,
    expect,
    go_on,
    set_field,
    spans,
    text_of,
    wait_until_over,
    write,
    written,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

LOST = re.compile("^connection lost, going on")
ASKED = {"max_tokens": 60, "min_tokens": 60, "seed": 5}


@pytest.fixture(scope="module")
def server(worded_server: "Server") -> "Server":
    return worded_server


def ask_for_sixty(page: "Page") -> None:
    for name, value in ASKED.items():
        set_field(page, name, value)


def test_a_text_goes_on_at_the_next_character_wherever_its_stream_breaks(
    page: "Page", server: "Server"
) -> None:
    ask_for_sixty(page)
    write(page, "The moon")
    asked: list[dict[str, Any]] = []
    with routed(page, cut_in_turn([None, 7, 0, 20], asked)):
        text = go_on(page)
    assert text == "The moon" + written(server, prompt="The moon", **ASKED)
    assert ["received" in fields for fields in asked] == [False, False, True, True, True]
    assert len({fields.get("fingerprint") for fields in asked[2:]}) == 1
    assert page.inner_text("#status").startswith("done · 60 characters")
    page.click("#undo")
    assert text_of(page) == "The moon"


def test_what_is_typed_while_the_connection_is_lost_finds_its_place(
    page: "Page", server: "Server"
) -> None:
    ask_for_sixty(page)
    write(page, "The moon\nThe end", at=8)
    held: list[Route] = []

    def cut_and_hold(route: "Route") -> None:
        if goes_on(route.request):
            held.append(route)
        else:
            cut_behind(route, 20)

    with routed(page, cut_and_hold):
        with page.expect_request(goes_on):
            page.click("#continue")
        expect(page.locator("#status")).to_have_text(LOST)
        expect(page.locator("#stop")).to_have_attribute("aria-disabled", "false")
        caret_to(page, 0)
        page.keyboard.type("O ")
        held[0].continue_()
        wait_until_over(page)
    middle = written(server, prompt="The moon", **ASKED)
    assert text_of(page) == f"O The moon{middle}\nThe end"
    assert {text for who, text in spans(page) if who == "machine"} == set(middle.split("\n")) - {""}
    page.click("#undo")
    page.click("#undo")
    assert text_of(page) == "The moon\nThe end"


def test_stop_ends_the_tries_to_go_on(page: "Page") -> None:
    ask_for_sixty(page)
    write(page, "The moon")

    def cut_and_be_away(route: "Route") -> None:
        if goes_on(route.request):
            route.abort()
        else:
            cut_behind(route, 20)

    with routed(page, cut_and_be_away):
        page.click("#continue")
        expect(page.locator("#status")).to_have_text(LOST)
        page.keyboard.press("Escape")
        assert wait_until_over(page).startswith("stopped")
    assert text_of(page).startswith("The moon")
    assert len(text_of(page)) > len("The moon")
    expect(page.locator("#notice")).to_be_empty()


def test_a_service_that_stays_away_is_told_after_some_tries(page: "Page") -> None:
    ask_for_sixty(page)
    write(page, "The moon")
    tries: list[Route] = []

    def cut_and_be_away(route: "Route") -> None:
        tries.append(route)
        if len(tries) == 1:
            cut_behind(route, 20)
        else:
            route.abort()

    # The waits grow to half a minute in all: a hundredth of that will do here.
    page.evaluate(
        "() => { const wait = setTimeout; setTimeout = (act, ms) => wait(act, ms / 100) }"
    )
    with routed(page, cut_and_be_away):
        page.click("#continue")
        expect(page.locator("#status")).to_have_text(re.compile("^broken off"))
    assert len(tries) == 7
    expect(page.locator("#notice")).to_contain_text("They stay.")


def test_next_lines_go_on_each_from_its_own_place(page: "Page") -> None:
    write(page, "The moon is high,")
    set_field(page, "seed", 3)
    whole = ways(page)
    write(page, "The moon is high,")
    with routed(page, cut_in_turn([3], [])):
        assert ways(page) == whole


def ways(page: "Page") -> list[str]:
    page.click("#next-line")
    assert wait_until_over(page).startswith("done")
    return page.locator(".way-text").all_inner_texts()


def test_a_poem_goes_on_with_its_next_line(page: "Page", forms: "Page") -> None:
    page.select_option("#form", "haiku")
    set_field(page, "seed", 7)
    whole = compose(page)
    page.click("#undo")
    asked: list[dict[str, Any]] = []

    def cut_behind_a_line(route: "Route") -> None:
        asked.append(asked_by(route.request))
        if goes_on(route.request):
            return route.continue_()
        stream = route.fetch().text()
        return route.fulfill(
            body=stream[: stream.index('"number":2')], content_type="text/event-stream"
        )

    with routed(page, cut_behind_a_line, "**/v1/poems"):
        assert compose(page) == whole
    assert [fields.get("received") for fields in asked] == [None, whole.split("\n")[0]]
