"""HTTP metrics through real gunicorn: ends, bytes, and clients that leave."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
import requests
from exposition import metric_sum
from flask import Flask
from flask.testing import FlaskClient

from service.observability.http_exchange import ExchangeMiddleware, HttpExchange

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]

ENDLESS = {"max_tokens": 1_000_000, "min_tokens": 1_000_000}  # also where a wait is long
GENERATED = 'strophe_http_requests_total{route="/v1/generate"}'
LEFT = "strophe_http_client_disconnects_total"


def counted(client: FlaskClient, name: str) -> float:
    return metric_sum(client.get("/metrics").text, name)


def test_paths_that_clients_invent_count_as_one_route(client: FlaskClient) -> None:
    for number in range(20):
        client.get(f"/nothing/{number}").close()
        client.get(f"/v1/models/none-{number}").close()
    shown = client.get("/metrics").text
    lines = [line for line in shown.splitlines() if line.startswith("strophe_http_requests_total")]
    assert not [line for line in lines if "nothing" in line or "none-" in line]
    assert metric_sum(shown, 'strophe_http_requests_total{route="(none)",status="404"}') >= 20
    name = 'strophe_http_requests_total{route="/v1/models/<path:name>",status="404"}'
    assert metric_sum(shown, name) >= 20


def test_methods_that_clients_invent_count_as_one(client: FlaskClient) -> None:
    for number in range(5):
        client.open("/v1/models", method=f"BREW{number}").close()
    shown = client.get("/metrics").text
    assert "BREW" not in shown
    assert metric_sum(shown, 'strophe_http_requests_total{method="(other)",status="405"}') >= 5


def test_refusals_and_head_count_with_their_status(client: FlaskClient) -> None:
    name = 'strophe_http_requests_total{{method="{}",route="{}",status="{}"}}'
    client.post("/v1/generate", data="{").close()
    client.head("/healthz").close()
    assert counted(client, name.format("POST", "/v1/generate", 400)) == 1
    assert counted(client, name.format("HEAD", "/healthz", 200)) == 1
    assert counted(client, 'strophe_http_response_bytes_total{route="/healthz"}') == 0


@pytest.mark.parametrize("is_broken", [False, True])
def test_a_response_is_in_flight_until_its_end_is_counted(is_broken: bool) -> None:
    app, seen = Flask(__name__), []

    def record(_: HttpExchange) -> None:
        seen.append(exchanges.num_in_flight)
        if is_broken:
            raise OSError

    exchanges = ExchangeMiddleware(app, [record], has_client_gone=lambda _: False)
    with suppress(OSError):
        app.test_client().get("/nothing").close()
    assert seen == [1]
    assert exchanges.num_in_flight == 0


@pytest.fixture(scope="module")
def server(start_server: "StartServer") -> "Server":
    """Room for one text and one request more."""
    return start_server(
        STROPHE_MAX_STREAMS="1", STROPHE_MAX_QUEUE="1", STROPHE_MAX_TOKENS="1000000"
    )


@pytest.fixture
def idle(server: "Server") -> Iterator["Server"]:
    """So that counts are those of the test alone."""
    server.wait_for_metric("strophe_http_requests_in_flight", 0)
    server.wait_for_metric("strophe_slots_used", 0)
    # A counter by route has its first line with its first request.
    requests.post(server.url + "/v1/generate", data='{"max_tokens": 0}', timeout=10)
    # An answer is followed to its end a moment after its client has it.
    server.wait_for_metric("strophe_http_requests_in_flight", 0)
    yield server
    server.wait_for_metric("strophe_http_requests_in_flight", 0)


def stream(server: "Server", accept: str = "text/plain", **fields: int) -> requests.Response:
    body = json.dumps({**ENDLESS, **fields})
    headers = {"Accept": accept}
    url = server.url + "/v1/generate"
    return requests.post(url, data=body, headers=headers, stream=True, timeout=20)


@pytest.mark.slow
def test_a_stream_counts_when_it_has_ended_with_all_its_bytes_and_seconds(idle: "Server") -> None:
    names = {
        "ended": GENERATED,
        "bytes": 'strophe_http_response_bytes_total{route="/v1/generate"}',
        "seconds": 'strophe_http_request_duration_seconds_sum{route="/v1/generate"}',
    }
    before = {key: idle.metric(name) for key, name in names.items()}
    with stream(idle, max_tokens=6_000, min_tokens=6_000) as response:
        chunks = response.iter_content(100)
        text = next(chunks)
        begun = time.monotonic()
        assert idle.metric("strophe_http_requests_in_flight") == 1
        assert idle.metric(GENERATED) == before["ended"]
        text += b"".join(chunks)
        seconds = time.monotonic() - begun
    idle.wait_for_metric("strophe_http_requests_in_flight", 0)
    after = {key: idle.metric(name) for key, name in names.items()}
    assert after["ended"] - before["ended"] == 1
    assert after["bytes"] - before["bytes"] == len(text)
    assert after["seconds"] - before["seconds"] > seconds * 0.9


@pytest.mark.slow
@pytest.mark.parametrize("accept", ["text/plain", "text/event-stream"])
def test_a_client_that_leaves_a_stream_counts_once(idle: "Server", accept: str) -> None:
    before = idle.metric(LEFT)
    with stream(idle, accept) as response:
        next(response.iter_content(10))
    idle.wait_for_metric("strophe_http_requests_in_flight", 0)
    assert idle.metric(LEFT) == before + 1


@pytest.mark.slow
def test_a_client_that_leaves_before_its_answer_counts_once(idle: "Server") -> None:
    before = idle.metric(LEFT)
    idle.ask_and_leave(
        "/v1/generate", dict(ENDLESS), accept="application/json", once="strophe_slots_used"
    )
    idle.wait_for_metric("strophe_http_requests_in_flight", 0)
    assert idle.metric(LEFT) == before + 1


@pytest.mark.slow
def test_a_client_that_leaves_while_it_waits_counts_once(idle: "Server") -> None:
    before = idle.metric(LEFT)
    with stream(idle) as running:
        chunks = running.iter_content(10)  # an iterator that nobody keeps hangs up as it goes
        next(chunks)
        stream(idle, "text/event-stream").close()
        idle.wait_for_metric("strophe_http_requests_in_flight", 1)
        assert idle.metric(LEFT) == before + 1


@pytest.mark.slow
def test_a_client_that_leaves_after_its_answer_does_not_count(idle: "Server") -> None:
    before = idle.metric(LEFT)
    with stream(idle, max_tokens=5, min_tokens=5) as response:
        assert len(response.text) == 5
    with requests.post(idle.url + "/v1/generate", data="{", timeout=10) as refusal:
        assert refusal.status_code == 400
    with socket.create_connection(("127.0.0.1", idle.port), timeout=10) as connection:
        connection.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.recv(4096)
    idle.wait_for_metric("strophe_http_requests_in_flight", 0)
    assert idle.metric(LEFT) == before
