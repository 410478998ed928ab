"""Fixtures of the page's tests: services, a browser, and pages that are watched.

Each page that a test opens is watched: an error in its code, a violation of its policy or a request
to another host fails the test. `sheet` is imported where a fixture is made: it skips without
a browser.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request
    from service_fixtures import Server, StartServer
    from sheet import OpenPage

pytest_plugins = ["service_fixtures"]

FORGET = """async () => {
    localStorage.clear();
    for (const { name } of await indexedDB.databases()) {
        await new Promise((resolve, reject) => {
            Object.assign(indexedDB.deleteDatabase(name), { onsuccess: resolve, onerror: reject });
        });
    }
}"""


@pytest.fixture(scope="session")
def lasting_server(start_lasting_server: "StartServer") -> "Server":
    """Service with the models that ship, verse as its default, and room for three texts."""
    return start_lasting_server(
        STROPHE_DEFAULT_MODEL="verse", STROPHE_SHIPPED="", STROPHE_MAX_STREAMS="3"
    )


@pytest.fixture(scope="module")
def server(lasting_server: "Server") -> "Server":
    """The service of all modules, unless one has another."""
    return lasting_server


@pytest.fixture(scope="session")
def worded_server(
    start_lasting_server: "StartServer",
    worded_checkpoint: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> "Server":
    """Service with a small model that has words, so that its first poem is not waited for."""
    folder = tmp_path_factory.mktemp("checkpoints")
    shutil.copytree(worded_checkpoint, folder / "tiny")
    return start_lasting_server(STROPHE_CHECKPOINTS=str(folder), STROPHE_MAX_STREAMS="3")


@pytest.fixture(scope="module")
def small(start_server: "StartServer") -> "Server":
    """Service that wants a key, and has room for one text and one that waits."""
    from sheet import KEY

    keys = {"STROPHE_API_KEYS": f"page:{KEY}"}
    return start_server(STROPHE_MAX_STREAMS="1", STROPHE_MAX_QUEUE="1", **keys)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from sheet import CHROMIUM, playwright

    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: "Browser", server: "Server") -> Iterator["OpenPage"]:
    """A page of its own, of the shared server unless told; what goes wrong in it fails the test."""
    from sheet import expect_connected, new_context

    faults: list[str] = []
    contexts = []

    def open_at(
        url: str = server.url, key: str | None = "", *, is_first: bool = False, **options: Any
    ) -> "Page":
        """`key` is typed where one is asked for; with None that is left to the test."""
        contexts.append(new_context(browser, is_first=is_first, **options))
        page = contexts[-1].new_page()
        watch(page, faults)
        page.goto(url + "/" if url.count("/") == 2 else url)
        if key:
            page.fill("#key", key)
            page.press("#key", "Enter")
        if key is not None:
            expect_connected(page)
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def open_tab(page: "Page", server: "Server") -> Iterator[Callable[[], "Page"]]:
    """Another tab beside the shared page, with the same storage."""
    from sheet import expect_connected

    faults: list[str] = []
    tabs = []

    def open_beside() -> "Page":
        tabs.append(page.context.new_page())
        watch(tabs[-1], faults)
        tabs[-1].goto(server.url + "/")
        expect_connected(tabs[-1])
        return tabs[-1]

    yield open_beside
    for tab in tabs:
        tab.close()
    assert faults == []


def watch(page: "Page", faults: list[str]) -> Callable[[], None]:
    """Note what goes wrong in a page; gives back what ends that."""

    def on_console(message: "ConsoleMessage") -> None:
        # A network that fails is told here too, and belongs to some tests.
        if message.type == "error" and "Failed to load resource" not in message.text:
            faults.append(message.text)

    def on_request(request: "Request") -> None:
        if not request.url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:")):
            faults.append(request.url)

    def on_error(error: Exception) -> None:
        faults.append(str(error))

    listeners: dict[Any, Any] = {"pageerror": on_error, "console": on_console}
    listeners["request"] = on_request
    for event, listener in listeners.items():
        page.on(event, listener)

    def unwatch() -> None:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)

    return unwatch


@pytest.fixture(scope="module")
def window(browser: "Browser") -> Iterator["Page"]:
    """One window for most tests: a new one for each would load everything anew."""
    from sheet import new_context

    context = new_context(browser)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(window: "Page", server: "Server") -> Iterator["Page"]:
    """The shared server's page with an empty sheet."""
    from sheet import expect_connected

    faults: list[str] = []
    unwatch = watch(window, faults)
    window.goto(server.url + "/")
    expect_connected(window)
    yield window
    # On an address without scripts, by the process that the page was in: what it noted in leaving
    # may not have come to the browser's own process yet, and would stand there afterwards.
    window.goto(server.url + "/healthz")
    window.evaluate(FORGET)
    window.goto("about:blank")
    unwatch()
    assert faults == []


@pytest.fixture
def forms(page: "Page") -> "Page":
    """The page with its forms open."""
    from sheet import expect

    page.click("#form-toggle")
    expect(page.locator("#form option")).not_to_have_count(0)
    return page
