"""Keys and limits at real sockets: gunicorn, clients that hang up, two services, one Redis."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from callers import ALICE, BOB, ENDLESS, EVENTS, KEYS, bearer

if TYPE_CHECKING:
    from access_fixtures import MakeClient, RedisServer
    from service_fixtures import Server, StartServer

pytest_plugins = ["access_fixtures"]
pytestmark = pytest.mark.slow

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def server(start_server: "StartServer") -> "Server":
    """Two requests at once for each of two keys; room for three texts."""
    return start_server(
        STROPHE_API_KEYS=KEYS, STROPHE_MAX_STREAMS="3", STROPHE_MAX_STREAMS_PER_CLIENT="2"
    )


def post(server: "Server", body: str, key: str = ALICE, **options: Any) -> requests.Response:
    headers = {**bearer(key), **options.pop("headers", {})}
    options = {"timeout": 20, **options}
    return requests.post(server.url + "/v1/generate", data=body, headers=headers, **options)


@pytest.fixture
def calm(server: "Server") -> Iterator["Server"]:
    yield server
    become_quiet(server)


def num_free_permits(server: "Server") -> int:
    """Count how many requests of Alice's are taken at once, when those before have ended."""
    become_quiet(server)
    with ExitStack() as crowd:
        for count in range(3):
            stream = crowd.enter_context(post(server, ENDLESS, headers=EVENTS, stream=True))
            if stream.status_code == 429:
                return count
    return 3


def become_quiet(server: "Server") -> None:
    server.wait_for_metric("strophe_streams_running", 0)
    server.wait_for_metric("strophe_requests_waiting", 0)
    server.wait_for_metric("strophe_http_requests_in_flight", 0)


def test_a_client_has_so_many_streams_and_no_more(calm: "Server") -> None:
    with (
        post(calm, ENDLESS, stream=True),
        post(calm, ENDLESS, headers=EVENTS, stream=True),
    ):
        refused = post(calm, '{"max_tokens": 1}')
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
        error = refused.json()["error"]
        assert (error["type"], error["code"]) == ("rate_limit_error", "too_many_streams")
        assert post(calm, '{"max_tokens": 1}', key=BOB).status_code == 200
        models = requests.get(calm.url + "/v1/models", headers=bearer(ALICE), timeout=5)
        assert models.status_code == 200
    assert num_free_permits(calm) == 2


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ('{"max_tokens": 3}', {}, 200),
        ('{"max_tokens": 3}', EVENTS, 200),
        ('{"max_tokens": 3}', JSON, 200),
        ("{", {}, 400),
        ('{"model": "none"}', {}, 404),
        ("{}", {"Accept": "image/png"}, 406),
        (" " * 3_000_000, {}, 413),
        ('{"n": 4}', JSON, 400),
    ],
)
def test_a_request_that_has_ended_gives_back_its_permit(
    calm: "Server", body: str, headers: dict[str, str], status: int
) -> None:
    for _ in range(3):
        assert post(calm, body, headers=headers).status_code == status
    assert num_free_permits(calm) == 2


def hang_up_on(server: "Server", headers: dict[str, str]) -> None:
    """After some text, or after a third of a second without any."""
    with (
        suppress(requests.Timeout),
        post(server, ENDLESS, headers=headers, stream=True, timeout=0.3) as response,
    ):
        next(response.iter_content(10))


@pytest.mark.parametrize("headers", [{}, EVENTS, JSON])
def test_hanging_up_gives_back_the_permit_running_or_waiting(
    calm: "Server", headers: dict[str, str]
) -> None:
    with (
        post(calm, ENDLESS, key=BOB, headers=EVENTS, stream=True),
        post(calm, ENDLESS, key=BOB, headers=EVENTS, stream=True),
    ):
        for _ in range(2):  # the first runs and the second waits
            hang_up_on(calm, headers)
    assert num_free_permits(calm) == 2


def test_head_and_half_sent_bodies_hold_no_permit(calm: "Server") -> None:
    for _ in range(3):
        head = requests.head(calm.url + "/v1/generate", headers=bearer(ALICE), timeout=5)
        assert head.status_code == 405
        with socket.create_connection(("127.0.0.1", calm.port)) as half:
            half.sendall(
                f"POST /v1/generate HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ALICE}\r\n"
                "Content-Length: 50\r\n\r\n{".encode()
            )
    assert num_free_permits(calm) == 2


def raw(server: "Server", *lines: bytes, path: bytes = b"/v1/models") -> int:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        head = [b"GET " + path + b" HTTP/1.1", b"Host: x", b"Connection: close", *lines]
        connection.sendall(b"\r\n".join(head) + b"\r\n\r\n")
        return int(connection.recv(100).split()[1])


def test_headers_that_only_a_socket_can_send(server: "Server") -> None:
    right = b"Authorization: Bearer " + ALICE.encode()
    assert raw(server, right) == 200
    assert raw(server, right.lower().replace(ALICE.lower().encode(), ALICE.encode())) == 200
    assert raw(server, b"X-Api-Key: \xff\xfe\x80" + b"a" * 20) == 401
    assert raw(server, b"Authorization: Bearer cl\xc3\xa9" + b"a" * 20) == 401
    assert raw(server, b"Authorization: Basic YTpi", right) == 401  # joined to one by gunicorn
    assert raw(server, right, b"Authorization: Basic YTpi") == 401
    assert raw(server, b"X-Api-Key: " + b"a" * 8000) == 401
    assert raw(server, b"X_Api_Key: " + ALICE.encode()) == 401
    assert raw(server, path=b"//v1/models") == 401
    assert raw(server, path=b"/healthz") == 200


def test_the_small_listener_needs_no_key_and_the_main_one_does(server: "Server") -> None:
    assert [server.probe(path) for path in ("/healthz", "/readyz", "/metrics")] == [200] * 3
    assert [raw(server, path=path) for path in (b"/healthz", b"/readyz", b"/metrics")] == [
        200,
        401,
        401,
    ]


def test_no_key_is_in_the_log(server: "Server") -> None:
    requests.get(server.url + f"/v1/models?key={ALICE}", headers=bearer(BOB), timeout=5)
    assert '"key": "key-2"' in server.log
    assert ALICE not in server.log
    assert BOB not in server.log


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("STROPHE_API_KEYS", "too-short", "key-1 is not a key of 16 to 256"),
        ("STROPHE_API_KEYS_FILE", "not-there", "cannot read not-there: No such file"),
        ("STROPHE_API_KEYS_FILE", "empty", "empty: holds no key"),
    ],
)
def test_wrong_keys_end_the_start_with_one_clear_line(
    tmp_path: Path, name: str, value: str, says: str
) -> None:
    (tmp_path / "empty").touch()
    root = Path(__file__).parent.parent
    ended = subprocess.run(
        [sys.executable, "-m", "service"],
        env={**os.environ, "PYTHONPATH": str(root), name: value},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"error: {name}: {says}")
    assert ended.stderr.count("\n") == 1


def test_two_services_share_one_count(
    start_server: "StartServer", make_client: "MakeClient", redis_server: "RedisServer"
) -> None:
    """One is a process of its own, the other is in this one."""
    rate, storage = "4/hour", redis_server.url
    there = start_server(STROPHE_RATE_LIMIT=rate, STROPHE_RATE_LIMIT_STORAGE=storage)
    here = make_client(rate_limit=rate, rate_limit_storage=storage)
    body = '{"max_tokens": 1}'

    def in_turn() -> list[int]:
        answer = here.post("/v1/generate", data=body, buffered=True)
        return [post(there, body).status_code, answer.status_code]

    assert in_turn() + in_turn() == [200] * 4
    assert in_turn() == [429, 429]
    redis_server.stop()
    assert in_turn() == [200, 200]
    assert '"event": "rate_storage_lost"' in there.log
