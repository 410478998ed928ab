"""The page before all of it is there: what is typed and pressed meanwhile finds its place."""

from typing import TYPE_CHECKING

from page_routes import holding, routed
from sheet import IN_A_BROWSER, expect, expect_connected, spans, stored_texts, text_of, write
from waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER


def test_what_is_typed_before_the_scripts_run_is_taken_over(page: "Page") -> None:
    write(page, "Kept")
    wait_until(lambda: stored_texts(page) == ["Kept"])
    with holding(page, "**/main.js") as held:
        page.reload(wait_until="commit")
        page.locator("#text").press_sequentially("Typed early")
        wait_until(lambda: len(held) == 1)
    expect(page.locator("#notice")).to_contain_text("You had begun")
    page.keyboard.type(" and late")
    assert text_of(page) == "Typed early and late"
    assert spans(page) == [("mine", "Typed early and late")]
    wait_until(lambda: stored_texts(page) == ["Kept", "Typed early and late"])
    page.click("text=Open “Kept”")
    expect(page.locator("#text")).to_have_value("Kept")


def test_the_sheet_takes_keys_and_notes_buttons_before_the_rest_is_there(page: "Page") -> None:
    with holding(page, "**/page.js") as held:
        page.reload(wait_until="commit")
        page.locator("#text").press_sequentially("Early")
        expect(page.locator("#ink .mine")).to_have_text("Early")  # by the sheet's own scripts
        page.click("#sheets-open")
        wait_until(lambda: len(held) == 1)
    expect(page.locator("#sheets-dialog")).to_be_visible()
    expect(page.locator("#sheets-list .sheet-title")).to_have_text("Early")


def test_a_page_of_which_only_the_sheet_came_says_so_and_loses_nothing(page: "Page") -> None:
    with routed(page, lambda route: route.abort(), "**/page.js"):
        page.reload()
        expect(page.locator("#notice")).to_contain_text("could not be fetched")
        page.locator("#text").press_sequentially("Kept")
    page.click("text=Try again")
    expect_connected(page)
    assert text_of(page) == "Kept"
    wait_until(lambda: stored_texts(page) == ["Kept"])
