"""The page as files: headers, caching, and nothing but what lies in its folder."""

import gzip
import json
import posixpath
import re
import struct

import pytest
from flask.testing import FlaskClient

from service.openapi import error_catalogue
from service.openapi.error_catalogue import ErrorSpec
from service.web.page import STATIC

pytest_plugins = ["service_fixtures"]

NAMES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*.*"))
TEXTS = [name for name in NAMES if not name.endswith(".png")]


@pytest.mark.parametrize("path", ["/", "/worker.js", *(f"/static/{name}" for name in NAMES)])
def test_every_file_is_served_under_the_strict_policy(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    policy = response.headers["Content-Security-Policy"]
    assert response.status_code == 200
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/static/main.js"])
def test_what_has_not_changed_is_not_sent_again(client: FlaskClient, path: str) -> None:
    etag = client.get(path).headers["ETag"]
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_the_pages_files_are_kept_for_good_by_their_version(client: FlaskClient) -> None:
    page = client.get("/").text
    paths = set(re.findall(r'"(/static/[^"]+)"', page))
    assert len({path.split("/")[2] for path in paths}) == 1  # the version
    for path in paths:
        kept = client.get(path)
        assert kept.status_code == 200, path
        assert "immutable" in kept.headers["Cache-Control"]
    assert client.get("/static/main.js").headers["Cache-Control"] == "no-cache"
    assert client.get("/static/0123456789ab/main.js").status_code == 404


def test_the_worker_keeps_all_of_one_version(client: FlaskClient) -> None:
    script = client.get("/worker.js").text
    parts = json.loads(re.findall(r"^const PARTS = (.*);$", script, re.MULTILINE)[0])
    assert [path.split("/", 3)[3] for path in parts] == [n for n in NAMES if n != "index.html"]
    for path in parts:
        assert "immutable" in client.get(path).headers["Cache-Control"]
    assert f"/static/{parts[0].split('/')[2]}/main.js" in client.get("/").text


def test_the_page_can_be_installed(client: FlaskClient) -> None:
    address = re.findall(r'rel="manifest" href="([^"]+)"', client.get("/").text)[0]
    answer = client.get(address)
    assert answer.content_type == "application/manifest+json"
    manifest = json.loads(answer.data)
    assert (manifest["start_url"], manifest["scope"]) == ("/", "/")
    for icon in manifest["icons"]:
        shown = client.get(posixpath.join(posixpath.dirname(address), icon["src"]))
        assert shown.content_type.split(";")[0] == icon["type"]
        if icon["type"] == "image/png":
            width, height = struct.unpack(">II", shown.data[16:24])
            assert icon["sizes"] == f"{width}x{height}"


@pytest.mark.parametrize("path", ["/", "/static/main.js", "/docs", "/openapi.json"])
def test_browsers_get_it_compressed_and_caches_keep_both_forms_apart(
    client: FlaskClient, path: str
) -> None:
    plain = client.get(path)
    packed = client.get(path, headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert plain.headers.get("Content-Encoding") is None
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]
    etag = packed.headers["ETag"]
    known = {"If-None-Match": etag, "Accept-Encoding": "gzip"}
    assert client.get(path, headers=known).status_code == 304
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200
    refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert refused.headers.get("Content-Encoding") is None


@pytest.mark.parametrize("path", ["/static/", "/static/x.js", "/static/..%2fapp.py", "/static/%2e"])
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_no_file_has_inline_code_or_asks_another_host() -> None:
    for name in TEXTS:
        text = (STATIC / name).read_text(encoding="utf-8")
        hosts = set(re.findall(r"https?://([\w.]+)", text))
        assert hosts <= {"www.w3.org"}, name  # the namespace of SVG
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert not re.search(r"<script(?! type=\"module\" src=)|<style|\son\w+=|\sstyle=", text), (
            name
        )


def test_every_module_is_small_and_says_what_it_is_for() -> None:
    for name in NAMES:
        if name.endswith(".js"):
            lines = (STATIC / name).read_text(encoding="utf-8").splitlines()
            assert lines[0].startswith("// "), name
            assert len(lines) <= 300, name


def test_the_page_asks_at_once_for_what_it_begins_with_and_first_for_its_sheet() -> None:
    """Module by module each would wait for the one that names it."""
    of_sheet = imported("main.js")
    of_page = imported("page.js") | {"page.js"}
    index = (STATIC / "index.html").read_text(encoding="utf-8")
    asked = re.findall(r'modulepreload" href="/static/([\w/]+\.js)"', index)
    assert set(asked[: len(of_sheet)]) == of_sheet
    assert sorted(asked[len(of_sheet) :]) == sorted(of_page - of_sheet)
    assert len(of_sheet) <= 12
    assert index.index('src="/static/main.js"') < index.index("modulepreload")


def imported(path: str) -> set[str]:
    """All modules that a module needs before it runs."""
    needed: set[str] = set()
    unread = [path]
    while unread:
        path = unread.pop()
        text = (STATIC / path).read_text(encoding="utf-8")
        named = re.findall(r'from "(\.[\w./]+\.js)"', text)
        new = {resolved(path, each) for each in named} - needed
        needed |= new
        unread += new
    return needed


def test_refusals_of_the_service_have_words_for_people() -> None:
    """All but those that tell what was wrong with what was asked for."""
    text = (STATIC / "service" / "refusals.js").read_text(encoding="utf-8")
    told = set(re.findall(r"^  (\w+): \"", text, re.MULTILINE))
    errors = [each for each in vars(error_catalogue).values() if isinstance(each, ErrorSpec)]
    known = {each.code for each in errors if each.code is not None}
    of_requests = {each.code for each in errors if each.status in (400, 406, 415, 421, 422)}
    assert told <= known
    assert known - told - of_requests == {"not_found"}


def resolved(path: str, named: str) -> str:
    """Path below the folder of what the module at `path` imports as `named`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), named))
