"""Slow, idle, too many, disconnected clients against the real gunicorn worker: others unharmed."""

import json
import resource
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]
pytestmark = pytest.mark.slow

POST = b"POST /v1/generate HTTP/1.1\r\nHost: x\r\n"
HALF_HEAD = POST
HALF_BODY = POST + b"Content-Length: 100\r\n\r\n{"
HALF_CHUNK = POST + b"Transfer-Encoding: chunked\r\n\r\n50\r\n{"
SHORT = {"max_tokens": 20, "min_tokens": 20}
ENDLESS = {"max_tokens": 1_000_000, "min_tokens": 1_000_000}
NUMBERS = {**ENDLESS, "logprobs": 20}
FORMS = ("text/plain", "text/event-stream", "application/json")


@pytest.fixture(scope="module")
def server(start_server: "StartServer") -> "Server":
    """Room for two texts and one request more; two seconds for a head, one for a body.

    Its shell allows few open files.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        return start_server(
            loads=True,  # so it is this process's, and has its limits
            STROPHE_MAX_STREAMS="2",
            STROPHE_MAX_QUEUE="1",
            STROPHE_READ_HEAD="2",
            STROPHE_READ_BODY="1",
        )
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def idle(server: "Server") -> Iterator["Server"]:
    yield server
    server.wait_for_metric("strophe_slots_used", 0)
    server.wait_for_metric("strophe_requests_waiting", 0)
    assert is_undisturbed(server)


def is_undisturbed(server: "Server") -> bool:
    answer = requests.post(server.url + "/v1/generate", json=SHORT, timeout=10)
    return answer.ok and "Traceback" not in server.log


def connect(server: "Server") -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=10)


def post(fields: dict[str, Any], accept: str = "text/event-stream") -> bytes:
    body = json.dumps(fields).encode()
    return POST + f"Accept: {accept}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def everything(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def num_threads(server: "Server") -> int:
    return len(list(Path(f"/proc/{server.workers[0]}/task").iterdir()))


def test_hundreds_of_idle_connections_and_half_sent_requests_take_no_thread(idle: "Server") -> None:
    before = num_threads(idle)
    with ExitStack() as crowd:
        for sent in (b"", HALF_HEAD, HALF_BODY, HALF_CHUNK):
            for _ in range(150):
                crowd.enter_context(connect(idle)).sendall(sent)
        for path in ("/healthz", "/readyz", "/metrics", "/v1/models"):
            assert requests.get(idle.url + path, timeout=2).status_code == 200
        assert len(requests.post(idle.url + "/v1/generate", json=SHORT, timeout=5).text) == 20
        assert num_threads(idle) < before + 10


@pytest.mark.parametrize(
    ("sent", "part", "time_taken"),
    [
        (HALF_HEAD, "head", "2 seconds"),
        (HALF_BODY, "body", "1 second"),
        (HALF_CHUNK, "body", "1 second"),
    ],
)
def test_a_request_that_trickles_in_past_its_deadline_gets_408_and_is_closed(
    idle: "Server", sent: bytes, part: str, time_taken: str
) -> None:
    """A byte now and then does not prolong it."""
    ended = 'strophe_connections_ended_total{reason="slow"}'
    before = idle.metric(ended)
    with connect(idle) as connection:
        connection.sendall(sent)
        connection.settimeout(0.1)
        answer, until = b"", time.monotonic() + 10
        while not answer and time.monotonic() < until:
            connection.sendall(b"x")
            try:
                answer = connection.recv(4096)
            except TimeoutError:
                continue
    assert idle.metric(ended) == before + 1
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"Connection: close" in head
    error = json.loads(body)["error"]
    assert error["code"] == "request_timeout"
    assert error["message"] == f"the request's {part} was not whole after {time_taken}"


def test_the_next_request_of_a_kept_alive_connection_has_the_same_deadline(idle: "Server") -> None:
    with connect(idle) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + HALF_HEAD)
        answers = everything(connection)
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answers


def test_an_idle_connection_is_closed_at_the_heads_deadline(idle: "Server") -> None:
    with connect(idle) as connection:
        assert connection.recv(100) == b""


def test_one_connection_too_many_evicts_the_one_that_waits_longest(
    idle: "Server",
) -> None:
    with ExitStack() as crowd:
        first = crowd.enter_context(connect(idle))
        for _ in range(1100):
            crowd.enter_context(connect(idle))
        assert requests.get(idle.url + "/healthz", timeout=2).status_code == 200
        assert first.recv(100) == b""
        assert 900 < idle.metric("strophe_connections") <= 1000
        assert idle.metric('strophe_connections_ended_total{reason="gave_way"}') >= 100


def test_a_head_without_end_is_refused(idle: "Server") -> None:
    with connect(idle) as connection:
        connection.sendall(POST + b"X: " + b"x" * 66_000)
        assert everything(connection).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET / HTTP/2.0\r\n", 400, "malformed_request"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed_request"),
        (b"GET /" + b"a" * 5000, 414, "request_line_too_long"),
        (POST + b"Expect: 200-ok\r\nContent-Length: 9\r\n\r\n", 417, "expectation_failed"),
        (POST + b"X: y\r\n" * 200 + b"\r\n", 431, "head_too_long"),
        (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501, "unsupported_transfer_encoding"),
        (
            POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            501,
            "unsupported_transfer_encoding",
        ),
    ],
)
def test_what_is_no_request_is_refused_at_once_in_our_shape(
    idle: "Server", sent: bytes, status: int, code: str
) -> None:
    """At once: else it would be 408, which a deadline brings."""
    ended = 'strophe_connections_ended_total{reason="malformed"}'
    before = idle.metric(ended)
    with connect(idle) as connection:
        connection.sendall(sent)
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close" in head
    assert json.loads(body)["error"]["code"] == code
    assert idle.metric(ended) == before + 1


def test_a_client_that_speaks_tls_is_answered_at_once_and_the_log_says_so(idle: "Server") -> None:
    with connect(idle) as connection, pytest.raises(ssl.SSLError, match=r"(?i)version"):
        ssl.create_default_context().wrap_socket(connection, server_hostname="x")
    (line,) = [line for line in idle.log.splitlines() if "TLS" in line]
    assert json.loads(line)["event"] == "malformed_request"


def test_a_broken_body_that_nobody_reads_ends_the_connection_without_a_second_answer(
    idle: "Server",
) -> None:
    with connect(idle) as connection:
        head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head + b"2\r\n{}??")
        answer = everything(connection)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.endswith(b'{"status":"alive"}\n')


def test_pipelined_requests_are_answered_in_turn(idle: "Server") -> None:
    texts = [post({**SHORT, "seed": seed}, "application/json") for seed in (1, 2)]
    last = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with connect(idle) as connection:
        connection.sendall(b"".join(texts) + last)
        answers = everything(connection)
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    places = [answers.index(word) for word in (b'"seed":1', b'"seed":2', b'"owned_by"')]
    assert places == sorted(places)


def test_a_client_that_expects_100_continue_gets_it(idle: "Server") -> None:
    head, _, body = post(SHORT).partition(b"\r\n\r\n")
    with connect(idle) as connection:
        connection.sendall(head + b"\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_clients_that_linger_after_their_answer_hold_up_nobody(idle: "Server") -> None:
    """gunicorn would wait for each on its main thread, for two seconds."""
    with ExitStack() as crowd:
        for _ in range(50):
            rude = crowd.enter_context(connect(idle))
            rude.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            assert rude.recv(100).startswith(b"HTTP/1.0 200 ")
        assert requests.get(idle.url + "/healthz", timeout=2).status_code == 200


@pytest.mark.parametrize("fields", [ENDLESS, NUMBERS])
def test_a_reader_of_a_few_bytes_at_a_time_holds_up_nobody(
    idle: "Server", fields: dict[str, Any]
) -> None:
    with connect(idle) as slow:
        slow.sendall(post(fields))
        for _ in range(10):
            assert slow.recv(1)
            brisk = requests.post(idle.url + "/v1/generate", json=SHORT, timeout=10)
            assert len(brisk.text) == 20


@pytest.mark.parametrize("accept", FORMS)
def test_a_reset_after_one_byte_frees_the_slot(idle: "Server", accept: str) -> None:
    connection = connect(idle)
    connection.sendall(post(ENDLESS, accept))
    idle.wait_for_metric("strophe_slots_used", 1)
    if accept != "application/json":
        assert connection.recv(1)
    reset(connection)
    idle.wait_until_freed("strophe_slots_used")


def test_a_reset_after_the_first_token_frees_the_slot(idle: "Server") -> None:
    connection = connect(idle)
    connection.sendall(post(ENDLESS))
    received = b""
    while b'"text"' not in received:
        received += connection.recv(4096)
    reset(connection)
    idle.wait_until_freed("strophe_slots_used")


@pytest.mark.parametrize("accept", FORMS)
def test_a_reset_while_queued_frees_the_place(idle: "Server", accept: str) -> None:
    with connect(idle) as one, connect(idle) as two:
        for running in (one, two):
            running.sendall(post(ENDLESS))
            assert running.recv(1)
        queued = connect(idle)
        queued.sendall(post(ENDLESS, accept))
        idle.wait_for_metric("strophe_requests_waiting", 1)
        reset(queued)
        idle.wait_until_freed("strophe_requests_waiting")


@pytest.mark.parametrize("sent", [b"", b"P", HALF_HEAD, HALF_BODY, HALF_CHUNK])
def test_a_reset_before_the_request_is_whole_is_nothing(idle: "Server", sent: bytes) -> None:
    connection = connect(idle)
    connection.sendall(sent)
    reset(connection)
    assert is_undisturbed(idle)


def test_a_reset_after_the_end_is_nothing(idle: "Server") -> None:
    connection = connect(idle)
    connection.sendall(post(SHORT))
    received = b""
    while b"[DONE]" not in received:
        received += connection.recv(4096)
    reset(connection)
    assert is_undisturbed(idle)


@pytest.mark.parametrize("accept", FORMS)
def test_a_client_that_closes_its_side_counts_as_gone(idle: "Server", accept: str) -> None:
    with connect(idle) as connection:
        connection.sendall(post(ENDLESS, accept))
        idle.wait_for_metric("strophe_slots_used", 1)
        connection.shutdown(socket.SHUT_WR)
        idle.wait_until_freed("strophe_slots_used")
        assert not everything(connection).endswith(b"\r\n0\r\n\r\n")


def test_head_gets_a_head_and_begins_nothing(idle: "Server") -> None:
    assert requests.head(idle.url + "/healthz", timeout=5).status_code == 200
    assert requests.head(idle.url + "/v1/generate", timeout=5).status_code == 405


def test_a_large_answer_is_whole_though_it_is_read_slowly(idle: "Server") -> None:
    """Some 400 KB, of which the kernel takes a quarter: it has little room for small segments."""
    fields = {"max_tokens": 400, "min_tokens": 400, "logprobs": 20}
    idle.wait_for_metric("strophe_http_requests_in_flight", 0)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", idle.port))
        connection.sendall(post(fields, "application/json"))
        answer = connection.recv(1)  # it is being sent
        time.sleep(0.5)
        assert idle.metric("strophe_http_requests_in_flight") == 1  # and has to wait
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(65_536)
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        while len(body) < length:
            body += connection.recv(65_536)
    assert length > 300_000
    assert json.loads(body)["usage"]["completion_tokens"] == 400


def test_slow_clients_of_the_ops_listener_are_bounded_too(idle: "Server") -> None:
    before = num_threads(idle)
    ops_port = int(idle.ops_url.rpartition(":")[2])
    with ExitStack() as crowd:
        for _ in range(100):
            half = crowd.enter_context(socket.create_connection(("127.0.0.1", ops_port)))
            half.sendall(b"GET /healthz HTTP/1.1\r\n")
        assert idle.probe("/healthz") == 200
        assert before + 10 < num_threads(idle) < before + 64 + 10
