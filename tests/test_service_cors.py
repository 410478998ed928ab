"""CORS: which pages may call from a browser, and what their scripts can read of the answers."""

from typing import TYPE_CHECKING

import pytest
from callers import ENDLESS, EVENTS, KEYS, bearer
from flask.testing import FlaskClient

if TYPE_CHECKING:
    from access_fixtures import MakeClient

pytest_plugins = ["access_fixtures"]

PAGE, IPV6_PAGE, OTHER = "https://poems.example", "http://[::1]:3000", "https://poems.example.evil"
ORIGINS = f"{PAGE},{IPV6_PAGE}"
OPENAI = (
    "authorization, content-type, x-stainless-lang, x-stainless-retry-count, openai-organization"
)
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture
def client(make_client: "MakeClient") -> FlaskClient:
    return make_client(api_keys=KEYS, cors_origins=ORIGINS)


@pytest.mark.parametrize("path", ["/v1/generate", "/v1/models", "/healthz", "/not/there"])
@pytest.mark.parametrize("origin", [PAGE, IPV6_PAGE])
def test_a_preflight_is_answered_without_a_key(client: FlaskClient, path: str, origin: str) -> None:
    wanted = {"Origin": origin, "Access-Control-Request-Headers": OPENAI}
    response = client.options(path, headers={"Access-Control-Request-Method": "POST", **wanted})
    assert (response.status_code, response.data) == (204, b"")
    assert response.headers[ALLOW] == origin
    assert response.headers["Access-Control-Allow-Headers"] == OPENAI
    assert {"GET", "POST"} <= set(response.headers["Access-Control-Allow-Methods"].split(", "))
    assert response.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize(
    ("origin", "method", "status"),
    [
        (OTHER, "POST", 403),
        ("https://Poems.example", "POST", 403),
        ("http://poems.example", "POST", 403),
        ("https://poems.example:444", "POST", 403),
        ("http://1:3000", "POST", 403),
        ("null", "POST", 403),
        ("*", "POST", 403),
        ("", "POST", 403),
        (None, "POST", 401),
        (PAGE, None, 401),
        (None, None, 401),
    ],
)
def test_what_is_no_preflight_of_an_allowed_page_is_not_answered_as_one(
    client: FlaskClient, origin: str | None, method: str | None, status: int
) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    sent = {name: value for name, value in asked.items() if value is not None}
    response = client.options("/v1/generate", headers=sent)
    assert response.status_code == status
    assert response.headers.get(ALLOW) == (PAGE if origin == PAGE else None)
    assert "Access-Control-Allow-Methods" not in response.headers
    assert response.headers["Vary"] == "Origin"


def test_answers_and_errors_can_be_read_by_the_page(make_client: "MakeClient") -> None:
    client = make_client(
        api_keys=KEYS, cors_origins=ORIGINS, rate_limit="5/hour", max_streams_per_client=4
    )
    page = {"Origin": PAGE, **bearer("alice-has-this-key")}

    crowd = [client.post("/v1/generate", data=ENDLESS, headers={**page, **EVENTS}) for _ in "123"]
    answers = [
        client.get("/v1/models", headers=page),
        client.get("/v1/models", headers={"Origin": PAGE}),
        client.get("/v1/models/none", headers=page),
        client.post("/v1/generate", data="{", headers=page, buffered=True),
        client.post("/v1/generate", data="{}", headers=page, buffered=True),
        client.post("/v1/generate", data="{}", headers=page, buffered=True),
    ]
    for response in crowd:
        response.close()
    assert [answer.status_code for answer in answers] == [200, 401, 404, 400, 503, 429]
    for answer in (*crowd, *answers):
        assert answer.headers[ALLOW] == PAGE
        assert answer.headers["Vary"] == "Origin"
        exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
        ours = {name for name, _ in answer.headers if name.startswith(("X-", "Retry"))}
        assert ours - {"X-Accel-Buffering"} <= set(exposed)


def test_another_page_is_served_but_cannot_read(client: FlaskClient) -> None:
    for headers in ({"Origin": OTHER}, {}):
        response = client.get("/healthz", headers=headers)
        assert response.status_code == 200
        assert ALLOW not in response.headers
        assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", [PAGE, OTHER, "null"])
def test_a_star_allows_every_page(make_client: "MakeClient", origin: str) -> None:
    client = make_client(cors_origins="*")
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    assert client.options("/v1/generate", headers=asked).headers[ALLOW] == "*"
    assert client.get("/healthz", headers={"Origin": origin}).headers[ALLOW] == "*"
    assert "Vary" not in client.get("/healthz").headers


def test_by_default_no_page_may_call(make_client: "MakeClient") -> None:
    client = make_client()
    asked = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    response = client.options("/v1/generate", headers=asked)
    assert [name for name, _ in response.headers if name.startswith("Access-Control")] == []
