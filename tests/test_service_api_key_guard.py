"""With keys set, every route is closed to who has none, but for those that are listed here."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from callers import ALICE, BOB, KEYS, bearer
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

if TYPE_CHECKING:
    from access_fixtures import MakeClient

pytest_plugins = ["access_fixtures"]

# Without the slash at the end.
PUBLIC = {"", "/worker.js", "/static/x", "/healthz", "/openapi.json", "/docs", "/docs/x"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@pytest.fixture
def closed(make_client: "MakeClient") -> FlaskClient:
    return make_client(api_keys=KEYS)


def every_request(app: Flask) -> Iterator[tuple[str, str]]:
    """Each method on each route, allowed there or not, with and without a slash at the end."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "x", rule.rule)
        for method in METHODS:
            yield method, path
            yield method, path.rstrip("/") + "/"


def is_open(app: Flask, method: str, path: str) -> bool:
    allowed = app.url_map.bind("").allowed_methods(path)
    return path.rstrip("/") in PUBLIC and method in allowed


@pytest.mark.parametrize("headers", [{}, bearer("x" * 20), {"X-Api-Key": ALICE + "x"}])
def test_no_route_opens_to_who_has_no_key_or_a_wrong_one(
    closed: FlaskClient, headers: dict[str, str]
) -> None:
    app = closed.application
    got = {
        (method, path): closed.open(path, method=method, headers=headers).status_code
        for method, path in every_request(app)
    }
    unlike = {
        request: status
        for request, status in got.items()
        if (status != 401) != is_open(app, *request)
    }
    assert unlike == {}
    assert len(got) > 50


@pytest.mark.parametrize("headers", [bearer(ALICE), bearer(BOB), {"X-Api-Key": BOB}])
def test_every_route_opens_to_each_key(closed: FlaskClient, headers: dict[str, str]) -> None:
    for method, path in every_request(closed.application):
        response = closed.open(path, method=method, headers=headers)
        assert response.status_code != 401, (method, path)
        response.close()


def test_without_keys_everything_is_open(make_client: "MakeClient") -> None:
    client = make_client()
    statuses = [client.get(path).status_code for path in ("/healthz", "/readyz", "/v1/models")]
    assert statuses == [200, 200, 200]


def test_a_route_that_someone_adds_is_closed(make_client: "MakeClient") -> None:
    client = make_client(api_keys=KEYS)
    blueprint = Blueprint("new", __name__)
    blueprint.get("/new")(lambda: "secret")
    client.application.register_blueprint(blueprint)
    assert client.get("/new").status_code == 401
    assert client.get("/new", headers=bearer(ALICE)).text == "secret"


@pytest.mark.parametrize("path", ["/v2", "//v1/models", "/v1/models//", "/healthz/x"])
def test_routes_cannot_be_told_from_what_is_not_there(closed: FlaskClient, path: str) -> None:
    assert closed.get(path).get_json() == closed.get("/v1/models").get_json()
    assert closed.get(path, headers=bearer(ALICE)).status_code in (404, 405)


@pytest.mark.parametrize(
    ("headers", "status", "says"),
    [
        ({}, 401, "no API key was sent"),
        ({"Authorization": "Bearer"}, 401, "no API key was sent"),
        ({"Authorization": "Bearer  "}, 401, "no API key was sent"),
        ({"Authorization": ALICE}, 401, "no API key was sent"),
        ({"Authorization": f"Basic {ALICE}"}, 401, "no API key was sent"),
        ({"X-Api-Key": ""}, 401, "no API key was sent"),
        (bearer(ALICE.upper()), 401, "not valid here"),
        (bearer(ALICE[:-1]), 401, "not valid here"),
        (bearer("x" * 100_000), 401, "not valid here"),
        (bearer("clé-qui-n'est-pas-ascii"), 401, "not valid here"),
        ({"Authorization": f"Bearer {ALICE}, Bearer {BOB}"}, 401, "not valid here"),
        ({"Authorization": f"Bearer {ALICE} {BOB}"}, 401, "not valid here"),
        ({"X-Api-Key": f"alice: {ALICE}"}, 401, "not valid here"),
        ({"Authorization": f"bearer {ALICE}"}, 200, ""),
        ({"Authorization": f"BEARER   {ALICE}  "}, 200, ""),
        ({"Authorization": "Basic dXNlcjpwYXNz", "X-Api-Key": ALICE}, 200, ""),
        ({"Authorization": "Bearer of-a-proxy-in-front", "X-Api-Key": ALICE}, 200, ""),
    ],
)
def test_how_a_key_is_sent(
    closed: FlaskClient, headers: dict[str, str], status: int, says: str
) -> None:
    response = closed.get("/v1/models", headers=headers)
    assert response.status_code == status
    if status == 401:
        error = response.get_json()["error"]
        assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_api_key")
        assert says in error["message"]
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert ALICE not in response.text


def test_the_log_names_who_called_and_never_shows_a_key(closed: FlaskClient) -> None:
    wrong = "wrong-but-secret-too"
    with capture_logs() as logs:
        closed.get("/v1/models", headers=bearer(ALICE)).close()
        closed.get("/v1/models", headers={"X-Api-Key": wrong}).close()
    assert [line.get("key") for line in logs] == ["alice", None]
    shown = str(logs) + closed.get("/metrics", headers=bearer(ALICE)).text
    assert ALICE not in shown
    assert wrong not in shown
