"""The nginx configuration in `deploy/nginx/`: a real nginx before two real services."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import requests
from replicas import Nginx, find_program
from served import free_port
from waiting import wait_until

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

FAIL_TIMEOUT_S = 3  # in replicas.conf

pytest_plugins = ["service_fixtures"]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_program("nginx") is None, reason="nginx is not installed"),
]

ENDLESS = {"max_tokens": 1_000_000, "min_tokens": 1_000_000}
EVENTS = {"Accept": "text/event-stream"}
POST = b"POST /v1/generate HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture(scope="module")
def replicas(start_server: "StartServer") -> dict[str, "Server"]:
    names = ("a", "b")
    return {
        name: start_server(STROPHE_REPLICA=name, STROPHE_TRUSTED_PROXIES="1", STROPHE_DRAIN="4")
        for name in names
    }


@pytest.fixture(scope="module")
def edge(replicas: dict[str, "Server"], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an nginx with the files that ship; only the replicas' ports are others."""
    ports = {name: server.port for name, server in replicas.items()}
    nginx = Nginx(tmp_path_factory.mktemp("nginx"), ports)
    nginx.start()
    nginx.wait_until_ready()
    yield f"http://127.0.0.1:{nginx.port}"
    assert nginx.end() == 0


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """An nginx whose replicas are all gone."""
    nginx = Nginx(tmp_path_factory.mktemp("lonely"), {"a": free_port(), "b": free_port()})
    nginx.start()
    wait_until(lambda: can_connect(nginx.port))
    yield nginx
    assert nginx.end() == 0


def can_connect(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def refusal(nginx: Nginx, request: bytes) -> tuple[int, str, str | None]:
    """Status, code and Retry-After of what nginx answers to the bytes of a request."""
    with socket.create_connection(("127.0.0.1", nginx.port)) as client:
        client.sendall(request)
        answer = http.client.HTTPResponse(client)
        answer.begin()
        assert answer.headers["Content-Type"] == "application/json"
        error = json.loads(answer.read())["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    return answer.status, error["code"], answer.headers["Retry-After"]


@pytest.mark.parametrize(
    ("request_", "status", "code", "retry_after"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 503, "unavailable", "1"),
        (POST + b"Content-Length: 2\r\n\r\n{}", 503, "unavailable", "1"),
        (POST + b"Content-Length: 9000000\r\n\r\n", 413, "request_entity_too_large", None),
        (POST + b"x: %b\r\n\r\n" % (b"y" * 20_000), 431, "head_too_long", None),
        (b"GET /%b HTTP/1.1\r\n" % (b"y" * 20_000), 414, "request_line_too_long", None),
        (b"rubbish\r\n\r\n", 400, "malformed_request", None),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 404, "not_found", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_nginx_itself_refuses_is_told_as_the_service_tells_it(
    lonely: Nginx, request_: bytes, status: int, code: str, retry_after: str | None
) -> None:
    assert refusal(lonely, request_) == (status, code, retry_after)


def test_a_client_with_too_many_requests_open_is_told_so(lonely: Nginx) -> None:
    ask = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    with ExitStack() as crowd:
        for _ in range(64):
            address = ("127.0.0.1", lonely.port)
            half = crowd.enter_context(socket.create_connection(address))
            half.sendall(POST + b"Content-Length: 2\r\n\r\n")
        wait_until(lambda: refusal(lonely, ask)[0] != 503)
        assert refusal(lonely, ask) == (429, "too_many_streams", "1")


def write(edge: str, **fields: Any) -> requests.Response:
    body = {"prompt": "The moon", "seed": 1, "max_tokens": 40, **fields}
    return requests.post(edge + "/v1/generate", json=body, timeout=30)


def test_both_replicas_write_and_one_seed_is_one_text(edge: str) -> None:
    answers = [write(edge) for _ in range(8)]
    assert {answer.text for answer in answers} == {answers[0].text}
    names = {answer.headers["X-Strophe-Id"].split("-")[1] for answer in answers}
    assert names == {"a", "b"}


def test_a_stream_goes_through_as_it_comes(edge: str) -> None:
    """Far less than all of it has been written when the first piece is there."""
    address = edge + "/v1/generate"
    with requests.post(address, json=ENDLESS, headers=EVENTS, stream=True, timeout=30) as stream:
        lines = stream.iter_lines()
        begun = [next(lines) for _ in range(4)]
    assert any(line.startswith(b"data: ") for line in begun)


@pytest.mark.parametrize("number", range(4))
def test_a_cancellation_finds_the_replica_that_writes(edge: str, number: int) -> None:
    address = edge + "/v1/generate"
    with requests.post(address, json=ENDLESS, headers=EVENTS, stream=True, timeout=30) as stream:
        job = stream.headers["X-Strophe-Id"]
        answer = requests.post(f"{address}/{job}/cancel", timeout=10)
        assert answer.json() == {"id": job, "status": "cancelled"}
        events = [line for line in stream.iter_lines() if line.startswith(b"data: ")]
    assert events[-1] == b"data: [DONE]"
    assert any(b'"cancelled"' in event for event in events)


def test_a_cut_stream_does_not_look_whole(edge: str, replicas: dict[str, "Server"]) -> None:
    """The drain cuts plain text at its end of time: through nginx the body stays unterminated."""
    with requests.post(edge + "/v1/generate", json=ENDLESS, stream=True, timeout=30) as stream:
        name = stream.headers["X-Strophe-Id"].split("-")[1]
        text = stream.iter_content(100)
        assert next(text)
        server = replicas[name]
        server.terminate()
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for _ in text:
                pass
    assert server.end() == 0


def test_replacing_the_replicas_fails_no_request(
    edge: str, replicas: dict[str, "Server"], start_server: "StartServer"
) -> None:
    """One ends and is back, then the other ends, while four readers ask without a pause."""
    gone = next(name for name, each in replicas.items() if each.process.poll() is not None)
    left = replicas["b" if gone == "a" else "a"]
    over = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read_until, edge, over, seed) for seed in range(4)]
        replicas[gone] = restarted(start_server, gone, replicas[gone])
        time.sleep(FAIL_TIMEOUT_S + 0.5)  # as deploy/roll waits
        left.terminate()
        assert left.end() == 0
        over.set()
        answers = [reader.result() for reader in readers]
    assert sum(map(len, answers)) > 40
    assert {status for each in answers for status, _ in each} == {200}
    # Each reader has one seed: whichever replica wrote, the text is the same.
    assert all(len({text for _, text in each}) == 1 for each in answers)


def restarted(start_server: "StartServer", name: str, before: "Server") -> "Server":
    return start_server(
        STROPHE_REPLICA=name,
        STROPHE_TRUSTED_PROXIES="1",
        STROPHE_DRAIN="4",
        STROPHE_PORT=str(before.port),
    )


def read_until(edge: str, over: threading.Event, seed: int) -> list[tuple[int, str]]:
    """Status and text of one request after the other."""
    answers = []
    while not over.is_set():
        answer = write(edge, seed=seed, max_tokens=200)
        answers.append((answer.status_code, answer.text))
    return answers


def test_the_client_is_known_by_its_own_address(edge: str, replicas: dict[str, "Server"]) -> None:
    write(edge)
    lines = [line for server in replicas.values() for line in server.log.splitlines()]
    requests_of = [json.loads(line) for line in lines if '"event": "request"' in line]
    assert {line["client"] for line in requests_of} == {"127.0.0.1"}


def test_metrics_are_not_for_everyone(edge: str) -> None:
    assert requests.get(edge + "/metrics", timeout=10).status_code == 404
