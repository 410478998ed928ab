"""The page is whole by itself: every route and field is there, and nothing is from elsewhere."""

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from callers import KEYS
from flask.testing import FlaskClient

from service.openapi.operations import OPERATIONS

if TYPE_CHECKING:
    from access_fixtures import MakeClient

pytest_plugins = ["access_fixtures"]

FILES = ("/docs", "/docs/page.css", "/docs/page.js")


class Page(HTMLParser):
    """What tests ask of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.levels: list[int] = []
        self.inline: list[str] = []
        self.unnamed: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        self.links += [given[name] for name in ("href", "src") if name in given]
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        is_inline = tag == "style" or (tag == "script" and "src" not in given)
        if is_inline or any(name == "style" or name.startswith("on") for name in given):
            self.inline.append(tag)
        if tag in ("input", "textarea", "select") and "label" not in self._open:
            self.unnamed.append(given.get("name", tag))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass


@pytest.fixture
def page(client: FlaskClient) -> Page:
    return Page(client.get("/docs").text)


def test_every_route_and_field_is_on_the_page(client: FlaskClient) -> None:
    html = client.get("/docs").text
    document = client.get("/openapi.json").get_json()
    assert [path for path in document["paths"] if f"<code>{path}</code>" not in html] == []
    bodies = [operation.body for operation in OPERATIONS.values() if operation.body is not None]
    fields = {name for body in bodies for name in body.model_fields}
    assert [name for name in fields if f"<code>{name}</code>" not in html] == []
    schemas = document["components"]["schemas"]
    answers = schemas.keys() - {body.__name__ for body in bodies}
    assert [name for name in answers if f'id="{name}"' not in html] == []


def test_every_link_leads_somewhere_on_this_service(client: FlaskClient, page: Page) -> None:
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif link != "data:,":
            assert client.get("/" + link).status_code == 200
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("path", FILES)
def test_nothing_is_fetched_from_elsewhere(client: FlaskClient, path: str) -> None:
    text = client.get(path).text
    assert re.findall(r"""(?:url\(|@import|=\s*["'])\s*(?:https?:)?//""", text) == []


def test_nothing_in_the_page_runs_by_itself(client: FlaskClient, page: Page) -> None:
    assert page.inline == []
    policy = client.get("/docs").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", [*FILES, "/openapi.json"])
def test_browsers_are_told_to_guess_nothing_and_frame_nothing(
    client: FlaskClient, path: str
) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-cache"


def test_headings_skip_no_level_and_fields_have_labels(page: Page) -> None:
    assert page.levels[0] == 1
    assert all(
        after <= before + 1 for before, after in zip(page.levels, page.levels[1:], strict=False)
    )
    assert page.levels.count(1) == 1
    assert page.unnamed == []


def test_the_page_asks_for_a_key_only_where_there_are_keys(
    client: FlaskClient, make_client: "MakeClient"
) -> None:
    assert 'name="key"' not in client.get("/docs").text
    closed = make_client(api_keys=KEYS).get("/docs")
    assert closed.status_code == 200
    assert 'name="key"' in closed.text


@pytest.mark.parametrize(
    "path", ["/docs/", "/docs/../app.py", "/docs/page.html", "/docs/page.css/x"]
)
def test_only_the_files_of_the_page_are_given(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
