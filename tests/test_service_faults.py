"""The bad-input list: each case to each POST route of a real service, its status, no 5xx at all,
and a stream that still comes after it."""

import json
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import requests

from model.tokenizer import Tokenizer

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]
pytestmark = pytest.mark.slow

TEXT_OF = {
    "/v1/generate": "prompt",
    "/v1/completions": "prompt",
    "/v1/score": "text",
    "/v1/inspect": "text",
    "/tokenize": "prompt",
}
ROUTES = list(TEXT_OF)
WRITING, READING = ROUTES[:2], ROUTES[2:4]
BIG = 10**400

# What is no request at all, whatever the route.
BODIES: list[tuple[bytes, int]] = [
    (b"", 400),
    (b"[]", 400),
    (b"null", 400),
    (b'"str"', 400),
    (b"1", 400),
    (b'{"model": "tiny"', 400),
    (b'{"model": NaN}', 400),
    (b'{"model": -Infinity}', 400),
    (b'{"model": "tiny", "model": "tiny"}', 400),
    (b'{"model": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400),
    (b"[" * 20_000, 400),
    (b"[" * 100_000, 413),
    (b'{"model": "\xff\xfe"}', 400),
    (b'{"model": "\\ud800"}', 400),
    (b"\x1f\x8b\x08\x00\x00", 400),
    (b'{"model": ' + b"9" * 10_000 + b"}", 400),
    (b" " * 30_000, 413),
    (b'{"' + b"x" * 15_000 + b'": 1, "model": 5}', 400),
    (json.dumps({f"f{i}": i for i in range(1000)} | {"model": 5}).encode(), 400),
]

# Of the fields that the writing routes share: refused.
REFUSED: dict[str, tuple[Any, ...]] = {
    "max_tokens": (True, "5", 1.5, -2, 5001, BIG, [1], {}),
    "min_tokens": (-1, "x", 10**7),
    "temperature": (-1, -1e-9, 10.5, "1", True, [], BIG),
    "top_p": (0, -0.0, 1.0001, "1"),
    "top_k": (-2, 1.5, 10**7),
    "min_p": (-0.1, 1.1),
    "typical_p": (0, 2),
    "repetition_penalty": (0, -1, 11),
    "frequency_penalty": (-2.01, 2.01),
    "presence_penalty": (-3, 3),
    "penalty_window": (0, 1025),
    "seed": (-2, 2**63, 2**64, 0.5, "1", True),
    "stop": ([""], "", ["a"] * 17, ["a" * 201], 5, [None], "\ud800"),
    "n": (0, 17, 9, "2", True),
    "echo": (1, "yes"),
    "logprobs": (-1, 21, "1", True, 0.0),
    "logit_bias": ([], {"5": 101}, {"5": "x"}, {"\u6f22": 1}, {"ab": 1}),
    "prompt": (5, {}, "\ud800", "x\udc00y"),
    "model": (5, [], "x" * 201),
}

# And what is unusual and right.
TAKEN: dict[str, tuple[Any, ...]] = {
    "max_tokens": (0, 1, None),
    "temperature": (0, -0.0, 1e-9, 10, 1),
    "top_p": (1e-12, 1),
    "top_k": (0, 1, 10**6),
    "min_p": (0, 1),
    "seed": (0, 2**63 - 1),
    "stop": ([], "z" * 200, ["ab", "b", "abc"], ["\u6f22"]),
    "prompt": ("", "\u6f22\U0001f600\x00", "\r\n\u2028", "e\u0301" * 40),
    "repetition_penalty": (1e-3, 10),
}


def each_value(table: dict[str, tuple[Any, ...]]) -> list[tuple[str, Any]]:
    return [(field, value) for field, values in table.items() for value in values]


@pytest.fixture(scope="module")
def server(start_server: "StartServer") -> "Server":
    """Small limits, so that what is beyond them is small too."""
    return start_server(
        STROPHE_MAX_STREAMS="8",
        STROPHE_MAX_TOKENS="5000",
        STROPHE_MAX_PROMPT="1000",
        STROPHE_MAX_BODY="25000",
    )


@pytest.fixture(autouse=True)
def still_streams(server: "Server") -> Iterator[None]:
    """After each case."""
    yield
    body = '{"max_tokens": 3, "min_tokens": 3}'
    with requests.post(server.url + "/v1/generate", data=body, stream=True, timeout=10) as answer:
        assert len(answer.text) == 3


def send(server: "Server", route: str, body: bytes | dict[str, Any], **headers: str) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = requests.post(
        server.url + route, data=data, headers={"Accept": "application/json", **headers}, timeout=20
    )
    if answer.status_code >= 400:
        assert set(answer.json()["error"]) == {"message", "type", "param", "code"}
        assert len(answer.content) < 4000
        assert not {"Traceback", "/model", "/service"} & set(answer.text.split())
    return answer


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(("body", "status"), BODIES, ids=range(len(BODIES)))
def test_a_body_that_is_no_request(server: "Server", route: str, body: bytes, status: int) -> None:
    assert send(server, route, body).status_code == status


@pytest.mark.parametrize("route", WRITING)
@pytest.mark.parametrize(("field", "value"), each_value(REFUSED))
def test_a_value_that_is_refused_by_name(
    server: "Server", route: str, field: str, value: object
) -> None:
    answer = send(server, route, {"seed": 1, "max_tokens": 3, field: value})
    if value == BIG:
        assert answer.status_code == 400
        return
    assert answer.status_code == 400
    assert answer.json()["error"]["param"].split(".")[0] == field


@pytest.mark.parametrize("route", WRITING)
@pytest.mark.parametrize(("field", "value"), each_value(TAKEN))
def test_a_value_that_is_unusual_and_right(
    server: "Server", route: str, field: str, value: object
) -> None:
    fields = {"seed": 1, "max_tokens": 8, "min_tokens": 8, field: value}
    answer = send(server, route, fields)
    assert answer.status_code == 200, answer.text
    again = send(server, route, fields)
    assert answer.json()["choices"] == again.json()["choices"]


@pytest.mark.parametrize("route", ROUTES)
def test_limits_at_and_beyond(server: "Server", route: str) -> None:
    name = TEXT_OF[route]
    statuses = [
        send(server, route, {name: "a" * length}).status_code for length in (999, 1000, 1001)
    ]
    assert statuses == [200, 200, 413]


@pytest.mark.parametrize("route", READING)
@pytest.mark.parametrize("value", [None, "", 5, [], "\ud800"])
def test_a_text_to_read_that_is_none(server: "Server", route: str, value: object) -> None:
    answer = send(server, route, {"text": value})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "text")


@pytest.mark.parametrize("route", WRITING)
def test_all_characters_banned(server: "Server", route: str, tokenizer: Tokenizer) -> None:
    """A bias against all of them leaves the end of the document."""
    ids = range(2, tokenizer.vocab_size)
    by_id = {str(each): -100.0 for each in ids}
    by_text = {tokenizer.token_text(each): -100.0 for each in ids}
    bias = by_id if route == "/v1/completions" else by_text
    answer = send(server, route, {"seed": 1, "max_tokens": 5, "logit_bias": bias})
    assert answer.json()["choices"][0]["stop_reason"] == "end_of_document"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/html"}, 200),
        ({"Content-Type": "multipart/form-data"}, 200),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Encoding": "br, gzip"}, 415),
        ({"X-Request-Id": "a" * 5000}, 200),
        ({"X-Request-Id": "a;b"}, 200),
        ({"Expect": "100-continue"}, 200),
        ({"User-Agent": "\x1b[31m" * 50}, 400),
        ({"Cookie": "a=" + "b" * 7000}, 200),
        ({"SCRIPT_NAME": "/elsewhere"}, 200),
        ({"SCRIPT_NAME": "/v1"}, 200),
        ({"PATH_INFO": "/metrics"}, 200),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "off"}, 200),
    ],
)
def test_odd_headers(server: "Server", route: str, headers: dict[str, str], status: int) -> None:
    body = json.dumps({TEXT_OF[route]: "abc"}).encode()
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST {route} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{lines}"
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    answer = answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:200]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
@pytest.mark.parametrize("route", ROUTES)
def test_other_methods(server: "Server", route: str, method: str) -> None:
    answer = requests.request(method, server.url + route, timeout=10)
    assert answer.status_code == (200 if method == "OPTIONS" else 405)
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/models/", 200),
        ("/v1/models/a%2Fb", 404),
        ("/v1/models/..%2F..%2Fetc%2Fpasswd", 404),
        ("/v1/models/%00", 404),
        ("/v1/models/" + "a" * 3000, 404),
        ("/v1/models/%ff%fe", 404),
        ("/V1/models", 404),
        ("/v1/models?x=" + "y" * 3000, 200),
    ],
)
def test_odd_paths(server: "Server", path: str, status: int) -> None:
    assert requests.get(server.url + path, timeout=10).status_code == status
