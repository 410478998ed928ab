"""Browser driver for the page's tests: acts on the sheet and reads it; without a browser, skips."""

import re
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page
    from service_fixtures import Server

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
# The shell without a window does the same in half of the time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, PROGRAMS)), None)
IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

TIMEOUT_MS = 60_000  # the machine may be busy
expect = playwright.expect
expect.set_options(timeout=TIMEOUT_MS)
KEY = "a-key-for-the-page-0123456789"
CONNECTED = "body[data-whole] #model option"  # all of the page is there, and its service
# No sample is written for who has been here; about:blank has no storage.
BEEN_HERE = "location.protocol === 'http:' && localStorage.setItem('strophe.met', 'true')"
# A seed for each request that has none: what one run of the tests writes, every other writes too.
SEEDED = """{
    const { fetch } = window;
    let seed = 100;
    window.fetch = (path, options = {}) => {
        if (!["/v1/generate", "/v1/poems"].includes(path)) return fetch(path, options);
        const body = { seed: seed++, ...JSON.parse(options.body) };
        return fetch(path, { ...options, body: JSON.stringify(body) });
    };
}"""
OVER = re.compile(r"^(done|stopped|broken off|failed)")

OpenPage = Callable[..., "Page"]


def new_context(browser: "Browser", *, is_first: bool = False, **options: Any) -> "BrowserContext":
    """Window of somebody who has been here, unless they come for the first time; its texts have
    seeds.
    """
    # What a worker asks for would pass by the routes that tests lay; one test has it.
    usual = {"viewport": {"width": 1280, "height": 800}, "service_workers": "block"}
    context = browser.new_context(**{**usual, **options})
    context.set_default_timeout(TIMEOUT_MS)
    context.add_init_script(SEEDED)
    if not is_first:
        context.add_init_script(BEEN_HERE)
    return context


def expect_connected(page: "Page") -> None:
    """Wait until all of the page is there, and its service."""
    expect(page.locator(CONNECTED)).not_to_have_count(0)


def text_of(page: "Page") -> str:
    return page.input_value("#text")


def write(page: "Page", text: str, at: int | None = None) -> None:
    """Put a text on the sheet as if it was pasted, and the caret into it."""
    page.fill("#text", text)
    caret = len(text) if at is None else at
    page.evaluate("at => document.getElementById('text').setSelectionRange(at, at)", caret)


def caret_to(page: "Page", position: int) -> None:
    page.focus("#text")
    page.evaluate("at => document.getElementById('text').setSelectionRange(at, at)", position)


def write_at_once(page: "Page", text: str) -> None:
    """Put a long text on the sheet: Chromium, told to insert it, takes the square of its length.

    To the page it is the same: another text, and an event that says so.
    """
    script = """text => {
        const area = document.getElementById('text');
        area.focus();
        area.value = text;
        area.setSelectionRange(text.length, text.length);
        const inserted = { bubbles: true, inputType: 'insertFromPaste' };
        area.dispatchEvent(new InputEvent('input', inserted));
    }"""
    page.evaluate(script, text)


def wait_until_over(page: "Page") -> str:
    """How the generation ended, in the page's words."""
    expect(page.locator("#continue")).to_have_attribute("aria-disabled", "false")
    expect(page.locator("#status")).to_have_text(OVER)
    return page.inner_text("#status")


def go_on(page: "Page", button: str = "#continue") -> str:
    """Press a button that writes; gives the text when it is written."""
    page.click(button)
    wait_until_over(page)
    return text_of(page)


def compose(page: "Page", button: str = "#form-write") -> str:
    """Press a button that writes; gives the text, which is written to its end."""
    page.click(button)
    assert wait_until_over(page).startswith("done")
    return text_of(page)


def set_field(page: "Page", name: str, value: object) -> None:
    if name == "max_tokens":  # and nothing else that ends a text
        page.select_option("#length-unit", "exactly")
        page.fill("#length-number", str(value))
        return
    if not page.is_visible(f"#field-{name}"):
        page.click(f"details:has(#field-{name}) summary")
    page.fill(f"#field-{name}", str(value))


def spans(page: "Page") -> list[tuple[str, str]]:
    """What is seen on the sheet: who wrote what, lines apart."""
    script = "all => all.map(span => [span.className, span.textContent])"
    found = page.locator("#ink span").evaluate_all(script)
    return [(who, text) for who, text in found]


def seed_of(page: "Page") -> int:
    return int(page.inner_text("#last-seed"))


def written(server: "Server", **fields: object) -> str:
    """What the service itself writes."""
    form = {"Accept": "application/json"}
    answer = requests.post(server.url + "/v1/generate", json=fields, headers=form, timeout=60)
    return str(answer.json()["choices"][0]["text"])


def link_to(page: "Page") -> str:
    page.click("#copy-link")
    expect(page.locator("#link")).to_be_visible()
    return page.input_value("#link")


def open_sheets(page: "Page") -> None:
    page.click("#sheets-open")
    expect(page.locator("#sheets-dialog")).to_be_visible()


def sheets(page: "Page") -> list[str]:
    """Titles of the sheets that the list shows."""
    open_sheets(page)
    titles = page.locator("#sheets-list .sheet-title").all_inner_texts()
    page.keyboard.press("Escape")
    return titles


def stored_texts(page: "Page") -> list[str]:
    """Texts of all sheets as they lie in the browser, deleted ones too."""
    script = """() => new Promise(resolve => {
        indexedDB.open('strophe').onsuccess = ({target: {result}}) => {
            const store = result.transaction('contents').objectStore('contents');
            store.getAll().onsuccess = ({target}) => {
                result.close();
                resolve(target.result.map(({spans}) => spans.map(({text}) => text).join('')));
            };
        };
    })"""
    return sorted(page.evaluate(script))


def row(page: "Page", number: int, act: str) -> str:
    """Selector of a button beside a line of the poem."""
    return f"#poem-lines li:nth-child({number}) [data-act={act}]"


def show_lines(page: "Page", count: int) -> None:
    """Have the form's panel show the lines at the caret, so many."""
    page.click("#form-lines")
    expect(page.locator("#poem-lines li")).to_have_count(count)
