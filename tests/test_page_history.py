"""Undo and redo of the page: by its law over random editing, and by hand amid a generation."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sheet import IN_A_BROWSER, caret_to, expect, set_field, text_of, wait_until_over, write

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession, Page

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER

LAW = Path(__file__).with_name("page_history_law.js").read_text(encoding="utf-8")
LAW_CODE = LAW[LAW.index("async (") :].rstrip().rstrip(";")


def test_undo_and_redo_take_whole_steps_of_any_editing(page: "Page") -> None:
    assert page.evaluate(LAW_CODE, ["/static/text/manuscript.js", 400, 40]) == []


def start_writing(page: "Page", text: str, *, at: int | None = None) -> None:
    """Begin a generation that ends when it is stopped, and wait for its first characters."""
    write(page, text, at=at)
    set_field(page, "max_tokens", 100_000)
    set_field(page, "min_tokens", 100_000)
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [1-9]"))


def test_what_was_typed_amid_a_generation_is_undone_apart_and_the_rest_as_a_whole(
    page: "Page",
) -> None:
    start_writing(page, "First line\n")
    caret_to(page, 5)
    page.keyboard.type(" typed before")
    caret_to(page, len("First typed before line\n") + 3)
    page.keyboard.type("<inside>")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [\d,]{4,} "))
    page.keyboard.press("Escape")
    wait_until_over(page)
    whole = text_of(page)
    assert "<inside>" in whole
    page.click("#undo")
    assert text_of(page) == whole.replace("<inside>", "")
    page.click("#undo")
    assert text_of(page) == whole.replace("<inside>", "").replace(" typed before", "")
    page.click("#undo")
    assert text_of(page) == "First line\n"
    for _ in range(3):
        page.click("#redo")
    assert text_of(page) == whole


def compose(keyboard: "CDPSession", *texts: str) -> None:
    for text in texts:
        composed = {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
        keyboard.send("Input.imeSetComposition", composed)


def test_a_composition_is_one_step_of_undo(page: "Page") -> None:
    write(page, "abc")
    keyboard = page.context.new_cdp_session(page)
    for text in ("日本", "語"):
        compose(keyboard, "に", "にほ", "にほん")
        keyboard.send("Input.insertText", {"text": text})
    assert text_of(page) == "abc日本語"
    page.click("#undo")
    assert text_of(page) == "abc日本"
    page.click("#undo")
    assert text_of(page) == "abc"
    page.click("#redo")
    page.click("#redo")
    assert text_of(page) == "abc日本語"


def test_a_composition_amid_a_generation_is_one_step_of_undo(page: "Page") -> None:
    start_writing(page, "abc\ndef")
    caret_to(page, 3)
    keyboard = page.context.new_cdp_session(page)
    compose(keyboard, "に", "にほ", "にほん")
    keyboard.send("Input.insertText", {"text": "日本"})
    page.keyboard.press("Escape")
    wait_until_over(page)
    whole = text_of(page)
    assert whole.startswith("abc日本\ndef")
    page.click("#undo")
    assert text_of(page) == whole.replace("日本", "")
    page.click("#undo")
    assert text_of(page) == "abc\ndef"


def test_keys_of_an_input_method_are_no_commands(page: "Page") -> None:
    start_writing(page, "abc")
    page.focus("#text")
    press = """([key, more]) => document.getElementById('text').dispatchEvent(new KeyboardEvent(
        'keydown', { key, bubbles: true, cancelable: true, ...more }))"""
    page.evaluate(press, ["Escape", {"isComposing": True}])
    page.evaluate(press, ["Escape", {"keyCode": 229}])
    expect(page.locator("#continue")).to_have_attribute("aria-disabled", "true")
    page.evaluate(press, ["Escape", {}])
    wait_until_over(page)
    text = text_of(page)
    page.evaluate(press, ["Enter", {"ctrlKey": True, "isComposing": True}])
    page.evaluate(press, ["z", {"ctrlKey": True, "isComposing": True}])
    expect(page.locator("#continue")).to_have_attribute("aria-disabled", "false")
    assert text_of(page) == text
