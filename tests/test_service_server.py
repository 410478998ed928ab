"""The real server, `python -m service`, with gunicorn and sockets on loopback."""

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from forked import Forked
from waiting import wait_until

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]
pytestmark = pytest.mark.slow

MakeCheckpoint = Callable[..., Path]

ENDLESS: dict[str, object] = {"max_tokens": 1_000_000, "min_tokens": 1_000_000}
EVENTS = {"Accept": "text/event-stream"}
PROBES = ("/healthz", "/readyz", "/metrics")
JSON = "application/json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, make_checkpoint: MakeCheckpoint) -> Path:
    """The shared server's checkpoints."""
    parent = tmp_path_factory.mktemp("served")
    make_checkpoint(parent / "tiny")
    make_checkpoint(parent / "verse")
    return parent


@pytest.fixture(scope="module")
def server(start_server: "StartServer", folder: Path) -> "Server":
    """Room for two texts and one request more; shared, so each test leaves it idle."""
    return start_server(
        STROPHE_CHECKPOINTS=str(folder),
        STROPHE_MAX_STREAMS="2",
        STROPHE_MAX_QUEUE="1",
        STROPHE_POLL="0.05",
    )


def stream(
    server: "Server",
    headers: dict[str, str] | None = None,
    fields: dict[str, object] | None = None,
) -> Any:
    return requests.post(
        server.url + "/v1/generate",
        data=json.dumps(ENDLESS if fields is None else fields),
        headers=headers,
        stream=True,
        timeout=20,
    )


def test_the_readmes_curl_streams_text_as_it_comes(idle: "Server") -> None:
    command = ["curl", "-sN", f"{idle.url}/v1/generate", "-d", json.dumps(ENDLESS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:
        assert curl.stdout is not None
        assert len(curl.stdout.read(50)) == 50
        assert curl.poll() is None
        curl.terminate()


@pytest.mark.parametrize("headers", [None, EVENTS])
def test_hanging_up_on_a_stream_frees_its_slot(
    idle: "Server", headers: dict[str, str] | None
) -> None:
    with stream(idle, headers) as response:
        chunks = response.iter_content(10)
        next(chunks)  # of events the first comes before the request runs
        idle.wait_for_metric("strophe_streams_running", 1)
    idle.wait_until_freed("strophe_streams_running")


def test_hanging_up_on_a_json_answer_frees_its_slot(idle: "Server") -> None:
    idle.ask_and_leave("/v1/generate", ENDLESS, accept=JSON, once="strophe_streams_running")
    idle.wait_until_freed("strophe_streams_running")


@pytest.mark.parametrize("accept", ["*/*", "text/event-stream", JSON])
def test_hanging_up_while_queued_frees_the_place(idle: "Server", accept: str) -> None:
    with stream(idle), stream(idle):
        idle.ask_and_leave("/v1/generate", ENDLESS, accept=accept, once="strophe_requests_waiting")
        idle.wait_until_freed("strophe_requests_waiting")


def test_a_client_that_never_reads_ends_alone_and_slows_nobody(idle: "Server") -> None:
    """Numbers pile up faster than letters, so the kernel's buffers are soon full."""
    errors = idle.metric('strophe_requests_total{outcome="error"}')
    body = json.dumps({**ENDLESS, "logprobs": 20}).encode()
    head = f"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection(("127.0.0.1", idle.port)) as deaf:
        deaf.sendall(f"{head}Accept: text/event-stream\r\n\r\n".encode() + body)
        with stream(idle, fields={"max_tokens": 5_000, "min_tokens": 5_000}) as brisk:
            assert len(brisk.text) == 5_000
        idle.wait_for_metric('strophe_requests_total{outcome="error"}', errors + 1, timeout_s=20)
        assert idle.metric("strophe_slots_used") == 0
        assert idle.probe("/readyz") == 200


def test_a_full_service_refuses_and_still_answers_probes(idle: "Server") -> None:
    with ExitStack() as crowd:
        for _ in range(3):
            crowd.enter_context(stream(idle, EVENTS))
        with stream(idle) as refusal:
            assert refusal.status_code == 503
            assert refusal.headers["Retry-After"] == "1"
            assert refusal.json()["error"]["code"] == "saturated"
        for url in (idle.url, idle.ops_url):
            for path in PROBES:
                assert requests.get(url + path, timeout=2).status_code == 200


def test_a_body_with_length_wrong_or_chunked_is_handled(idle: "Server") -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"max_tok'
        yield b'ens": 5, "min_tokens": 5}'

    answer = requests.post(idle.url + "/v1/generate", data=chunks(), timeout=10)
    assert len(answer.text) == 5
    big = requests.post(idle.url + "/v1/generate", data=b" " * 3_000_000, timeout=10)
    assert (big.status_code, big.json()["error"]["type"]) == (413, "invalid_request_error")


@pytest.mark.parametrize(
    "sent",
    [
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"Content-Length: 50\r\n\r\n{}",
        b"Content-Length: -5\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"\r\n",
    ],
)
def test_a_broken_body_is_the_clients_fault(idle: "Server", sent: bytes) -> None:
    with socket.create_connection(("127.0.0.1", idle.port), timeout=10) as connection:
        connection.sendall(b"POST /v1/generate HTTP/1.1\r\nHost: x\r\n" + sent)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_half_bodies_that_hold_too_much_together_do_not_keep_out_a_small_request(
    idle: "Server",
) -> None:
    head = b"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n"
    refused = 'strophe_connections_ended_total{reason="crowded"}'
    before = idle.metric(refused)
    with ExitStack() as crowd:
        for _ in range(45):
            half = crowd.enter_context(socket.create_connection(("127.0.0.1", idle.port)))
            half.settimeout(10)
            with suppress(ConnectionError):
                half.sendall(head + b" " * 1_900_000)
        assert len(stream(idle, fields={"max_tokens": 5, "min_tokens": 5}).text) == 5
        wait_until(lambda: idle.metric(refused) > before)


def test_http_1_0_gets_the_text_without_chunks(idle: "Server") -> None:
    body = b'{"max_tokens": 5, "min_tokens": 5}'
    with socket.create_connection(("127.0.0.1", idle.port), timeout=10) as connection:
        connection.sendall(b"POST /v1/generate HTTP/1.0\r\nContent-Length: 34\r\n\r\n" + body)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert len(answer.split(b"\r\n\r\n", 1)[1].decode()) == 5


def test_a_replaced_checkpoint_is_served_without_disturbing_a_stream(
    idle: "Server", folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    fields: dict[str, object] = {"seed": 3, "max_tokens": 3000, "min_tokens": 3000}
    fields["model"] = "verse"
    loads = 'strophe_checkpoint_loads_total{result="loaded"}'
    undisturbed = stream(idle, fields=fields).text
    before = idle.metric(loads)
    chunks = stream(idle, fields=fields).iter_content(100)
    text = next(chunks)
    make_checkpoint(folder / "verse", seed=1)
    idle.wait_for_metric(loads, before + 1)
    assert (text + b"".join(chunks)).decode() == undisturbed
    assert stream(idle, fields=fields).text != undisturbed


def test_a_removed_checkpoint_is_no_longer_offered_and_its_stream_goes_on(
    idle: "Server", folder: Path, make_checkpoint: MakeCheckpoint
) -> None:
    fields: dict[str, object] = {"seed": 3, "max_tokens": 15_000, "min_tokens": 15_000}
    make_checkpoint(folder / "gone", seed=2)
    idle.wait_for_metric("strophe_models_loaded", 3)
    chunks = stream(idle, fields={**fields, "model": "gone"}).iter_content(100)
    text = next(chunks)
    shutil.rmtree(folder / "gone")
    idle.wait_for_metric("strophe_models_loaded", 2)
    assert idle.metric("strophe_streams_running") == 1
    refusal = stream(idle, fields={**fields, "model": "gone"})
    assert (refusal.status_code, refusal.json()["error"]["code"]) == (404, "model_not_found")
    assert len(text + b"".join(chunks)) == 15_000


def test_ctrl_c_ends_streams_and_the_service_soon(start_server: "StartServer") -> None:
    """A client that takes nothing holds a thread, but not the process."""
    server = start_server()
    body = json.dumps({**ENDLESS, "logprobs": 20}).encode()
    head = f"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as deaf, stream(server) as running:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.sendall(f"{head}Accept: text/event-stream\r\n\r\n".encode() + body)
        for _ in zip(range(300), running.iter_content(10), strict=False):
            pass
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=10) == 0


def run_service(**environment: str) -> tuple[int | None, str]:
    """The exit code of a service that cannot start, and what it says."""
    process = Forked(["-m", "service"], environment={**os.environ, **environment})
    _, said = process.communicate(timeout=20)
    return process.returncode, said


@pytest.mark.parametrize("setting", ["STROPHE_PORT", "STROPHE_OPS_PORT"])
def test_a_port_that_is_taken_is_one_clear_line(
    free_ports: Callable[[int], list[int]], setting: str
) -> None:
    ports = [str(port) for port in free_ports(2)]
    environment = dict(zip(("STROPHE_PORT", "STROPHE_OPS_PORT"), ports, strict=True))
    with socket.create_server(("127.0.0.1", int(environment[setting]))):
        code, said = run_service(**environment)
    assert code == 1
    assert said.startswith(f"error: {setting}: cannot listen on 127.0.0.1 port ")
    assert said.count("\n") == 1


def test_a_wrong_setting_is_one_clear_line(free_ports: Callable[[int], list[int]]) -> None:
    code, said = run_service(STROPHE_API_KEY="secret")
    assert code == 2
    assert said.startswith("error: STROPHE_API_KEY: no such setting")
    assert said.count("\n") == 1


def test_a_device_that_is_not_there_ends_the_start(free_ports: Callable[[int], list[int]]) -> None:
    port, ops_port = (str(port) for port in free_ports(2))
    code, said = run_service(STROPHE_PORT=port, STROPHE_OPS_PORT=ops_port, STROPHE_DEVICE="cuda:99")
    assert code != 0
    assert "cuda:99" in said
    assert "Traceback" not in said
