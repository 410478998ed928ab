"""The page in a small window: drawers, fingers, the on-screen keyboard; and copying the text."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from sheet import (
    IN_A_BROWSER,
    OpenPage,
    expect,
    expect_connected,
    go_on,
    new_context,
    seed_of,
    set_field,
    write,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "has_touch": True,
    "is_mobile": True,
    "reduced_motion": "reduce",  # or drawers are met on their way
}
FINGER = 44  # CSS pixels
LEAST = 24


@pytest.fixture(scope="module")
def phone_window(browser: "Browser") -> Iterator["Page"]:
    context = new_context(browser, **PHONE)
    yield context.new_page()
    context.close()


@pytest.fixture
def phone(phone_window: "Page", server: "Server") -> "Page":
    """The shared server's page on a phone, with an empty sheet."""
    phone_window.goto(server.url + "/")
    expect_connected(phone_window)
    write(phone_window, "")
    return phone_window


def tops(page: "Page", selector: str) -> set[float]:
    script = "all => all.filter(e => e.offsetParent).map(e => e.getBoundingClientRect().top)"
    return set(page.locator(selector).evaluate_all(script))


def too_small(page: "Page", least: int) -> list[str]:
    """Buttons, boxes and fields in sight that are smaller than that."""
    script = """(all, least) => all.filter(e => e.checkVisibility()).filter(e => {
        const {width, height} = e.getBoundingClientRect();
        return Math.min(width, height) < least;
    }).map(e => e.id || e.textContent)"""
    controls = page.locator("button, select, textarea, input, summary")
    return [str(each) for each in controls.evaluate_all(script, least)]


def test_one_row_of_buttons_in_which_continue_becomes_stop(phone: "Page") -> None:
    set_field_on(phone, "max_tokens", 2000)
    write(phone, "The moon")
    assert len(tops(phone, "#actions > button")) == 1
    phone.focus("#continue")
    phone.keyboard.press("Enter")
    expect(phone.locator("#stop")).to_be_focused()
    expect(phone.locator("#continue")).to_be_hidden()
    assert len(tops(phone, "#actions > button")) == 1
    phone.keyboard.press("Enter")
    expect(phone.locator("#continue")).to_be_focused()
    expect(phone.locator("#stop")).to_be_hidden()


def set_field_on(phone: "Page", name: str, value: object) -> None:
    phone.tap("#settings-toggle")
    set_field(phone, name, value)
    phone.tap("#settings-close")


def test_the_seed_is_seen_in_the_status_line_as_a_whole(phone: "Page") -> None:
    write(phone, "The moon")
    go_on(phone)
    status = phone.locator("#status")
    assert f"seed {seed_of(phone)}" in status.inner_text()
    assert "a second" not in status.inner_text()
    is_whole = "e => e.scrollWidth <= e.clientWidth && e.scrollHeight <= e.clientHeight"
    assert status.evaluate(is_whole)


def test_the_other_buttons_lie_in_drawers_for_finger_and_keyboard(phone: "Page") -> None:
    write(phone, "The moon")
    go_on(phone)
    phone.focus("#more-toggle")
    phone.keyboard.press("Enter")
    expect(phone.locator("#more")).to_be_visible()
    phone.keyboard.press("Tab")
    expect(phone.locator("#retry")).to_be_focused()
    phone.keyboard.press("Escape")
    expect(phone.locator("#more")).to_be_hidden()
    expect(phone.locator("#more-toggle")).to_be_focused()
    phone.tap("#more-toggle")
    bottom = phone.locator("#more").bounding_box()
    assert bottom is not None
    assert bottom["y"] + bottom["height"] == 740
    phone.tap("#retry")
    expect(phone.locator("#more")).to_be_hidden()
    expect(phone.locator("#ways li")).to_have_count(2)
    phone.tap("#menu-toggle")
    expect(phone.locator("#sheet-new")).to_be_visible()
    phone.touchscreen.tap(180, 100)
    expect(phone.locator("#sheet-new")).to_be_hidden()


def test_the_settings_are_left_by_done_and_by_escape(phone: "Page") -> None:
    phone.tap("#settings-toggle")
    expect(phone.locator("#settings-close")).to_be_focused()
    phone.keyboard.press("Escape")
    expect(phone.locator("#settings")).to_be_hidden()
    expect(phone.locator("#settings-toggle")).to_be_focused()
    phone.tap("#menu-toggle")
    phone.tap("#save")
    expect(phone.locator("#save-txt")).to_be_focused()
    phone.tap("#settings-close")
    expect(phone.locator("#settings")).to_be_hidden()


def test_a_tapped_characters_facts_are_in_sight(phone: "Page") -> None:
    write(phone, "The moon is high.\n" * 12)
    phone.tap("#tab-see")
    expect(phone.locator("#reading [role=option]")).to_have_count(18 * 12)
    phone.locator("#character-30").tap()
    for of_it in ("#character", "#surprisal", "#top li:first-child"):
        expect(phone.locator(of_it)).to_be_in_viewport(ratio=1)
    expect(phone.locator("#character-30")).to_be_in_viewport(ratio=1)


def test_what_a_finger_meets_is_large_enough_and_no_field_makes_the_phone_zoom(
    phone: "Page",
) -> None:
    write(phone, "The moon")
    for view in ("see", "compare", "write"):
        phone.tap(f"#tab-{view}")
        assert too_small(phone, LEAST) == [], view
    small = [name for name in too_small(phone, FINGER) if not name.startswith("tab-")]
    assert small == []
    sizes = "all => all.map(e => parseFloat(getComputedStyle(e).fontSize))"
    assert min(phone.locator("input, textarea, select").evaluate_all(sizes)) >= 16


def test_the_buttons_stay_above_a_keyboard_that_covers_the_page(phone: "Page") -> None:
    covered = """height => {
        const seen = { configurable: true, get: () => height };
        Object.defineProperty(visualViewport, 'height', seen);
        visualViewport.dispatchEvent(new Event('resize'));
    }"""
    phone.evaluate(covered, 420)
    box = phone.locator("#continue").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 420
    phone.evaluate(covered, 740)
    expect(phone.locator("#continue")).to_be_in_viewport()
    assert phone.evaluate("document.body.clientHeight") == 740
    assert "interactive-widget=resizes-content" in str(
        phone.get_attribute("meta[name=viewport]", "content")
    )


def test_the_text_is_copied_which_is_seen_and_announced(open_page: OpenPage) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.click("#copy-text")
    expect(page.locator("#notice")).to_contain_text("nothing on the sheet")
    write(page, "The moon\n  rose")
    page.click("#copy-text")
    expect(page.locator("#copy-text")).to_have_text("Copied")
    expect(page.locator("#live")).to_have_text("The text is copied")
    assert page.evaluate("navigator.clipboard.readText()") == "The moon\n  rose"
    expect(page.locator("#copy-text")).to_have_text("Copy text")


def test_where_no_page_may_copy_the_text_is_selected_and_the_keys_are_told(page: "Page") -> None:
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.execCommand = () => false")
    write(page, "The moon", at=2)
    page.click("#copy-text")
    expect(page.locator("#notice")).to_contain_text("press Ctrl+C")
    expect(page.locator("#text")).to_be_focused()
    assert page.evaluate("getSelection().toString()") == "The moon"
