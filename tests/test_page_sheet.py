"""The sheet of the page: writing with the model in a real browser, against the real service."""

import re
from typing import TYPE_CHECKING

from sheet import (
    IN_A_BROWSER,
    expect,
    go_on,
    seed_of,
    set_field,
    spans,
    text_of,
    wait_until_over,
    write,
    write_at_once,
    written,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER


def test_text_streams_into_the_sheet_and_is_what_the_service_wrote(
    page: "Page", server: "Server"
) -> None:
    set_field(page, "max_tokens", 300)
    set_field(page, "min_tokens", 300)
    page.click("#text")
    page.keyboard.type("The moon")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#live")).to_have_text("Writing")
    expect(page.locator("#ink .machine").first).not_to_be_empty()
    assert wait_until_over(page).startswith("done · 300 characters")
    fields = {"max_tokens": 300, "min_tokens": 300, "seed": seed_of(page)}
    text = text_of(page)
    assert text == "The moon" + written(server, prompt="The moon", **fields)
    assert spans(page)[0] == ("mine", "The moon")
    assert {who for who, _ in spans(page)[1:]} == {"machine"}
    assert page.locator("#ink").inner_text().split() == text.split()
    expect(page.locator("#live")).to_have_text("done, 300 characters")


def test_stop_ends_it_here_and_in_the_service(page: "Page", server: "Server") -> None:
    write(page, "The sea")
    set_field(page, "max_tokens", 100_000)
    set_field(page, "min_tokens", 100_000)
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [\d,]{4,} "))
    page.keyboard.press("Escape")
    assert wait_until_over(page).startswith("stopped")
    server.wait_until_freed("strophe_streams_running")
    text = text_of(page)
    page.wait_for_timeout(200)
    assert text == text_of(page)
    assert len(text) > 200


def test_it_goes_on_from_the_caret_and_keeps_what_stands_behind(
    page: "Page", server: "Server"
) -> None:
    set_field(page, "max_tokens", 20)
    set_field(page, "seed", 5)
    write(page, "The moon\nand the end", at=8)
    middle = written(server, prompt="The moon", max_tokens=20, seed=5)
    assert go_on(page) == f"The moon{middle}\nand the end"
    assert spans(page)[-1] == ("mine", "and the end")


def test_a_seed_writes_the_same_again(page: "Page") -> None:
    write(page, "O rose")
    first = go_on(page)
    page.click("#keep-seed")
    write(page, "O rose")
    assert go_on(page) == first


def test_undo_and_redo_take_whole_generations(page: "Page") -> None:
    write(page, "The wind")
    first = go_on(page)
    second = go_on(page)
    assert len(second) > len(first)
    page.focus("#text")
    page.keyboard.press("Control+z")
    assert text_of(page) == first
    page.keyboard.press("Control+z")
    assert text_of(page) == "The wind"
    page.click("#redo")
    page.click("#redo")
    assert text_of(page) == second
    assert spans(page)[0] == ("mine", "The wind")


def test_what_is_typed_into_machine_text_is_told_apart(page: "Page") -> None:
    set_field(page, "min_tokens", 30)
    set_field(page, "seed", 1)
    write(page, "Night")
    text = go_on(page)
    page.evaluate("document.getElementById('text').setSelectionRange(10, 10)")
    page.focus("#text")
    page.keyboard.type("XYZ")
    page.keyboard.press("Backspace")
    assert text_of(page) == text[:10] + "XY" + text[10:]
    seen = spans(page)
    assert ("mine", "XY") in seen
    assert [who for who, _ in seen[:4]] == ["mine", "machine", "mine", "machine"]


def test_one_may_type_while_it_writes(page: "Page") -> None:
    write(page, "First line\n")
    set_field(page, "max_tokens", 2000)
    set_field(page, "min_tokens", 2000)
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [1-9]"))
    page.evaluate("document.getElementById('text').setSelectionRange(5, 5)")
    page.focus("#text")
    page.keyboard.type(" typed meanwhile")
    assert wait_until_over(page).startswith("done · 2,000 characters")
    assert text_of(page).startswith("First typed meanwhile line\n")
    assert spans(page)[0] == ("mine", "First typed meanwhile line")
    assert len(text_of(page)) == len("First typed meanwhile line\n") + 2000
    assert page.locator("#ink").inner_text().split() == text_of(page).split()


def test_an_input_method_may_compose_while_it_writes(page: "Page") -> None:
    write(page, "abc\ndef")
    set_field(page, "max_tokens", 2000)
    set_field(page, "min_tokens", 2000)
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [1-9]"))
    page.evaluate("document.getElementById('text').setSelectionRange(3, 3)")
    page.focus("#text")
    keyboard = page.context.new_cdp_session(page)
    for text in ("に", "にほ", "にほん"):
        composed = {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        keyboard.send("Input.imeSetComposition", composed)
    keyboard.send("Input.insertText", {"text": "日本"})
    wait_until_over(page)
    assert text_of(page).startswith("abc日本\ndef")
    assert len(text_of(page)) == len("abc日本\ndef") + 2000
    assert page.locator("#ink").inner_text().split() == text_of(page).split()


def test_the_caret_is_in_sight_after_a_long_paste(page: "Page") -> None:
    page.click("#text")
    page.keyboard.insert_text("line\n" * 200 + "the last")
    expect(page.locator("#ink > div").last).to_be_in_viewport()


def test_another_way_is_kept_beside_the_first(page: "Page") -> None:
    write(page, "My heart")
    first = go_on(page)
    second = go_on(page, "#retry")
    assert first != second
    ways = page.locator(".way")
    expect(ways).to_have_count(2)
    ways.nth(0).click()
    assert text_of(page) == first
    expect(ways.nth(0)).to_have_attribute("aria-pressed", "true")
    ways.nth(1).click()
    assert text_of(page) == second
    page.click("#undo")
    assert text_of(page) == first


def test_one_chooses_among_three_next_lines(page: "Page") -> None:
    write(page, "The moon is high,")
    page.click("#next-line")
    wait_until_over(page)
    assert text_of(page) == "The moon is high,"
    lines = page.locator(".way-text").all_inner_texts()
    assert len(set(lines)) == 3
    page.locator(".way").nth(1).click()
    head, _, line = text_of(page).partition("\n")
    assert head == "The moon is high,"
    assert line.strip("\n") == lines[1].strip("\n")
    page.keyboard.press("3")
    expect(page.locator(".way").nth(2)).to_be_focused()
    assert text_of(page).split("\n", 1)[1].strip("\n") == lines[2].strip("\n")


def test_a_line_is_written_anew_and_its_neighbours_stay(page: "Page") -> None:
    write(page, "One line\nthe second line\nthe third", at=15)
    text = go_on(page, "#rewrite")
    first, *middle, last = text.split("\n")
    assert (first, last) == ("One line", "the third")
    assert middle != ["the second line"]
    assert len(middle) == 1
    page.locator(".way").nth(0).click()
    assert text_of(page) == "One line\nthe second line\nthe third"


MARKUP = "<script>window.evil = 1</script> &amp; <b>bold</b> <img src=x onerror=alert(1)>"


def test_markup_shows_as_it_was_typed(page: "Page") -> None:
    write(page, MARKUP)
    go_on(page)
    assert page.inner_text("#ink").startswith(MARKUP)
    page.click("#tab-compare")
    page.fill("#compare-prompt", MARKUP)
    page.fill("#compare-temperatures", "0.5")
    page.click("#compare-start")
    expect(page.locator(".column-text .mine")).to_contain_text("&amp; <b>bold</b>")
    assert page.locator("#ink script, #ink b, #ink img, #columns b, #columns img").count() == 0
    assert page.evaluate("window.evil") is None


def test_fifty_thousand_characters_are_written_and_edited(page: "Page") -> None:
    line = "The moon enthroned the rose of light,\n"
    text = line * (50_000 // len(line) + 1)
    write_at_once(page, text)
    set_field(page, "max_tokens", 100)
    set_field(page, "min_tokens", 100)
    longer = go_on(page)
    assert longer.startswith(text)
    assert len(longer) == len(text) + 100
    page.evaluate("document.getElementById('text').setSelectionRange(25000, 25000)")
    page.focus("#text")
    page.keyboard.type("here")
    assert text_of(page) == longer[:25_000] + "here" + longer[25_000:]
    assert page.locator("#ink > div").count() == text_of(page).count("\n") + 1
    page.click("#undo")
    assert text_of(page) == longer


def test_the_ink_lies_exactly_under_the_caret(page: "Page") -> None:
    """Both layers wrap their lines alike, or the caret would not be where the letters are."""
    write(page, "Wide words that wander and wrap, AVAVA Ta To fi ffl  two spaces   three. " * 40)
    set_field(page, "max_tokens", 600)
    go_on(page)
    heights = "() => ['ink', 'text'].map(id => document.getElementById(id).scrollHeight)"
    ink, area = page.evaluate(heights)
    assert abs(ink - area) <= 2


def test_nothing_moves_while_it_writes(page: "Page") -> None:
    write(page, "The garden")
    set_field(page, "max_tokens", 2000)
    set_field(page, "min_tokens", 2000)
    page.evaluate(
        """() => {
            window.shifts = [];
            const note = list => window.shifts.push(...list.getEntries().map(e => e.value));
            new PerformanceObserver(note).observe({ type: 'layout-shift' });
        }"""
    )
    go_on(page)
    assert sum(page.evaluate("window.shifts")) < 0.01
