"""The page's storage, links and key, and the page when the service is full or dies."""

import json
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from sheet import (
    CHROMIUM,
    IN_A_BROWSER,
    KEY,
    OVER,
    OpenPage,
    expect,
    expect_connected,
    go_on,
    link_to,
    seed_of,
    set_field,
    sheets,
    spans,
    stored_texts,
    text_of,
    wait_until_over,
    write,
    written,
)
from waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from service_fixtures import Server

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER


def test_the_sheet_is_kept_in_the_browser(page: "Page") -> None:
    write(page, "Kept")
    set_field(page, "temperature", 0.35)
    text = go_on(page)
    before = spans(page)
    page.reload()
    expect(page.locator("#text")).to_have_value(text)
    assert spans(page) == before
    expect(page.locator("#field-temperature")).to_have_value("0.35")


def test_a_browser_without_storage_is_told_and_goes_on(open_page: OpenPage) -> None:
    page = open_page("about:blank", key=None)
    page.add_init_script("delete IDBFactory.prototype.open")
    page.goto(open_page().url)
    expect(page.locator("#notice")).to_contain_text("keeps nothing for this page")
    write(page, "In memory")
    page.click("#sheet-new")
    write(page, "Another")
    assert sheets(page) == ["Another", "In memory"]


def test_a_full_storage_is_told_once_and_the_sheet_stays(page: "Page") -> None:
    write(page, "Stored")
    wait_until(lambda: stored_texts(page) == ["Stored"])
    page.evaluate(
        """() => {
            window.put = IDBObjectStore.prototype.put;
            IDBObjectStore.prototype.put = function () {
                const error = new DOMException('full', 'QuotaExceededError');
                if (this.transaction.error) return; // the second of one transaction
                Object.defineProperty(this.transaction, 'error', { value: error });
                this.transaction.abort();
            };
        }"""
    )
    write(page, "Not stored")
    expect(page.locator("#notice")).to_contain_text("no room left")
    page.click("#notice [aria-label='Close this notice']")
    page.click("#sheet-new")  # would lose it
    expect(page.locator("#notice")).to_contain_text("no room left")
    assert text_of(page) == "Not stored"
    page.evaluate("() => { IDBObjectStore.prototype.put = window.put; }")
    write(page, "Stored again")
    wait_until(lambda: stored_texts(page) == ["Stored again"])


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are found in /proc")
def test_a_browser_that_is_killed_loses_nothing(
    browser: "Browser", server: "Server", tmp_path: Path
) -> None:
    def visit() -> "Page":
        window = browser.browser_type.launch_persistent_context(
            tmp_path, executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        window.pages[0].goto(server.url + "/")
        return window.pages[0]

    page = visit()
    page.locator("#text").press_sequentially("Typed")
    wait_until(lambda: stored_texts(page) == ["Typed"], 5)
    kill_browser_of(tmp_path)
    page = visit()
    expect(page.locator("#text")).to_have_value("Typed")
    page.context.close()


def kill_browser_of(folder: Path) -> None:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if f"--user-data-dir={folder}".encode() in command:
            os.kill(int(process.name), signal.SIGKILL)


def test_files_hold_the_text_and_what_made_it(page: "Page") -> None:
    set_field(page, "temperature", 0.6)
    write(page, "The *star*")
    text = go_on(page)
    contents = {}
    for ending in ("txt", "md", "json"):
        with page.expect_download() as waiting:
            page.click(f"#save-{ending}")
        contents[ending] = waiting.value.path().read_text(encoding="utf-8")
        assert waiting.value.suggested_filename.startswith("the-star")
    assert contents["txt"] == text
    assert f"seed {seed_of(page)}" in contents["md"]
    assert contents["md"].startswith("The \\*star\\*")
    saved = json.loads(contents["json"])
    assert saved["text"] == text == "".join(span["text"] for span in saved["spans"])
    (made,) = saved["generations"]
    assert (made["model"], made["seed"]) == ("verse", seed_of(page))
    assert made["settings"]["temperature"] == 0.6


def test_a_link_writes_the_piece_again_elsewhere(page: "Page", open_page: OpenPage) -> None:
    set_field(page, "temperature", 0.7)
    set_field(page, "max_tokens", 120)
    write(page, "A & b = <c> # ü\n")
    text = go_on(page)
    link = link_to(page)
    assert "?" not in link.split("#")[0]
    assert "seed=" in link
    other = open_page(link)
    expect(other.locator("#status")).to_have_text(OVER)
    assert text_of(other) == text
    expect(other.locator("#field-temperature")).to_have_value("0.7")
    other.reload()  # what was signed is kept with the sheet
    expect(other.locator("#text")).to_have_value(text)
    assert "seed=" in link_to(other)


def test_a_link_holds_the_text_where_no_seed_gives_it(page: "Page", open_page: OpenPage) -> None:
    set_field(page, "min_tokens", 60)
    write(page, "The first line\n")
    written_first = go_on(page)
    at = "document.getElementById('text').setSelectionRange(3, 3)"
    page.evaluate(at)
    text = go_on(page, "#rewrite")
    assert text != written_first
    other = open_page(link_to(page))
    expect(other.locator("#text")).to_have_value(text)
    page.click("#undo")
    assert "seed=" in link_to(page)  # what was written stands again behind what it was given
    page.locator("#text").press("Control+End")
    page.keyboard.type(" mine")
    assert "seed=" not in link_to(page)
    write(page, "A line")
    go_on(page, "#next-line")
    page.keyboard.press("1")
    assert "seed=" not in link_to(page)


def test_a_key_is_asked_for_and_stays_in_the_tab(open_page: OpenPage, small: "Server") -> None:
    page = open_page(small.url, key=None)
    page.fill("#key", "not-a-key-that-is-valid")
    page.press("#key", "Enter")
    expect(page.locator("#key-why")).to_contain_text("does not open the service")
    page.fill("#key", KEY)
    page.click("#key-form .primary")
    expect_connected(page)
    set_field(page, "min_tokens", 20)
    write(page, "Locked")
    assert go_on(page) != "Locked"
    assert KEY not in page.url
    assert KEY not in page.evaluate("JSON.stringify(localStorage)")


def test_a_key_that_is_given_late_fills_the_list_of_models(
    open_page: OpenPage, small: "Server"
) -> None:
    page = open_page(small.url, key=None)
    expect(page.locator("#key-why")).to_contain_text("Whoever runs it")
    page.click("#key-cancel")
    expect(page.locator("#notice")).to_contain_text("needs a key, and whoever runs it can give")
    page.evaluate("dispatchEvent(new Event('focus'))")  # who comes back is not asked once more
    expect(page.locator("#key-dialog")).to_be_hidden()
    page.click("#continue")
    page.fill("#key", KEY)
    page.press("#key", "Enter")
    expect_connected(page)
    wait_until_over(page)
    expect(page.locator("#notice")).to_be_empty()


def test_a_full_service_is_waited_for(open_page: OpenPage, small: "Server") -> None:
    page = open_page(small.url, key=KEY)
    set_field(page, "min_tokens", 20)
    write(page, "Wait")
    with occupied(small):
        small.wait_for_metric("strophe_streams_running", 1)
        page.click("#continue")
        expect(page.locator("#status")).to_have_text("waiting, 0 ahead")
        page.keyboard.press("Escape")
        wait_until_over(page)
        small.wait_until_freed("strophe_requests_waiting")
        with occupied(small):
            small.wait_for_metric("strophe_requests_waiting", 1)
            page.click("#continue")
            expect(page.locator("#status")).to_have_text(re.compile("is busy; trying again"))
    assert wait_until_over(page).startswith("done")
    assert len(text_of(page)) > len("Wait")


def occupied(server: "Server") -> requests.Response:
    """A text without an end; leaving it closes the connection."""
    headers = {"Accept": "text/event-stream", "X-Api-Key": KEY}
    endless = {"max_tokens": 100_000, "min_tokens": 100_000}
    url = server.url + "/v1/generate"
    return requests.post(url, json=endless, headers=headers, stream=True, timeout=30)


def test_a_text_goes_on_by_itself_when_its_service_dies(page: "Page", server: "Server") -> None:
    for name in ("max_tokens", "min_tokens"):
        set_field(page, name, 50_000)
    set_field(page, "seed", 5)
    write(page, "The storm")
    page.click("#continue")
    expect(page.locator("#status")).to_have_text(re.compile(r"writing · [\d,]{3,} "))
    os.kill(server.workers[0], signal.SIGKILL)
    expect(page.locator("#status")).to_have_text(re.compile("^connection lost, going on"))
    before = page.locator("#ink").text_content() or ""
    expect(page.locator("#status")).to_have_text(re.compile("^writing"))
    page.keyboard.press("Escape")
    assert wait_until_over(page).startswith("stopped")
    text = text_of(page)
    assert len(text) > len(before) > 100
    length = len(text) - len("The storm")
    asked = {"prompt": "The storm", "seed": 5, "max_tokens": length, "min_tokens": length}
    assert text == "The storm" + written(server, **asked)
