"""The page without a network: it opens with all its sheets, and never mixes two versions."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from sheet import (
    IN_A_BROWSER,
    OpenPage,
    expect,
    expect_connected,
    open_sheets,
    stored_texts,
    text_of,
    write,
)
from waiting import wait_until
from werkzeug.serving import make_server

from service.web import page as page_module

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytest_plugins = ["page_fixtures"]
pytestmark = IN_A_BROWSER


def test_the_page_opens_without_a_network(open_page: OpenPage) -> None:
    page = open_page(service_workers="allow")
    wait_until_kept(page)
    write(page, "Kept at home")
    wait_until(lambda: stored_texts(page) == ["Kept at home"])
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#text")).to_have_value("Kept at home")
    expect(page.locator("#notice")).to_contain_text("needs its service")
    page.click("#notice [aria-label='Close this notice']")
    page.locator("#text").press("End")
    page.keyboard.type(" and abroad")
    page.click("#tab-compare")  # a view that was never open before
    expect(page.locator("#compare-start")).to_be_visible()
    page.click("#tab-write")
    page.click("#continue")
    expect(page.locator("#status")).to_contain_text("no network")
    page.click("#stop")
    page.reload()
    expect(page.locator("#text")).to_have_value("Kept at home and abroad")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect_connected(page)


def wait_until_kept(page: "Page") -> None:
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")


def test_answers_of_the_service_are_not_kept(open_page: OpenPage) -> None:
    page = open_page(service_workers="allow")
    wait_until_kept(page)
    page.evaluate("fetch('/v1/models').then(answer => answer.text())")
    kept = page.evaluate(
        """async () => {
            const [name] = await caches.keys();
            const requests = await (await caches.open(name)).keys();
            return requests.map(({ url }) => new URL(url).pathname);
        }"""
    )
    assert "/" in kept
    assert all(path == "/" or path.startswith("/static/") for path in kept)


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator["Release"]:
    """The page alone, of which a new version can be put in place."""
    shutil.copytree(page_module.STATIC, tmp_path / "static")
    monkeypatch.setattr(page_module, "STATIC", tmp_path / "static")
    running = Release(tmp_path / "static")
    yield running
    running.stop()


class Release:
    """A service with the page's routes alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self.start()

    def start(self) -> None:
        app = Flask("page", static_folder=None)
        app.register_blueprint(page_module.page_blueprint())
        self.server = make_server("127.0.0.1", self.port, app, threaded=True)
        self.port = self.server.server_port
        self.thread = Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def renew(self, name: str, old: str, new: str) -> None:
        self.stop()
        file = self.folder / name
        file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        self.start()


def test_a_new_version_replaces_the_old_one_as_a_whole(
    open_page: OpenPage, release: Release
) -> None:
    url = f"http://127.0.0.1:{release.port}"
    page = open_page(url, key=None, service_workers="allow")
    wait_until_kept(page)
    first = version_of(page)
    release.renew("index.html", "<h1>Strophe</h1>", "<h1>Strophe, renewed</h1>")
    page.reload()
    expect(page.locator("h1")).to_have_text("Strophe, renewed")
    second = version_of(page)
    assert first != second
    wait_until(lambda: len(page.evaluate("caches.keys()")) == 2)
    wait_until(lambda: page.evaluate(IS_RENEWED, f"strophe-{second}"))
    release.stop()
    page.reload()
    expect(page.locator("h1")).to_have_text("Strophe, renewed")
    expect(page.locator("#notice")).to_contain_text("needs its service")
    asked = page.evaluate("performance.getEntriesByType('resource').map(({name}) => name)")
    assert {found for name in asked for found in re.findall(r"/static/(\w{8,})/", name)} == {second}
    open_sheets(page)
    assert text_of(page) == ""
    release.start()


# Until the new worker is there the old one shows the old page, as a whole.
IS_RENEWED = """async name => {
    const { installing, waiting, active } = await navigator.serviceWorker.getRegistration();
    const isOver = !installing && !waiting && active.state === 'activated';
    return isOver && Boolean(await (await caches.open(name)).match('/'));
}"""


def version_of(page: "Page") -> str:
    address = page.locator("script[type=module]").get_attribute("src")
    assert address is not None
    return address.split("/")[2]
