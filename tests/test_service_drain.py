"""Drain of the real server: SIGTERM with no stream and with many, twice, early; killed workers."""

import json
import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from waiting import ENDS_WITHIN_S, wait_until

from service.server.crash_loop import MAX_DEATHS
from service.server.gunicorn_app import CRASH_LOOP_EXIT_CODE

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]
pytestmark = pytest.mark.slow

ENDLESS = {"max_tokens": 1_000_000, "min_tokens": 1_000_000}
EVENTS = {"Accept": "text/event-stream"}
JSON = {"Accept": "application/json"}
ENDLESSLY = "3600"  # seconds; who waits so long has not ended within ENDS_WITHIN_S
CUT = (requests.exceptions.ChunkedEncodingError, requests.ConnectionError)


def begin(server: "Server", headers: dict[str, str] | None = None) -> requests.Response:
    """A stream that has begun, or waits in the queue with its first event sent."""
    return requests.post(
        server.url + "/v1/generate", json=ENDLESS, headers=headers, stream=True, timeout=20
    )


def last_event(stream: requests.Response) -> Any:
    events = [line for line in stream.text.split("\n") if line.startswith("data: ")]
    return json.loads(events[-1].removeprefix("data: "))


def test_a_full_house_drains(start_server: "StartServer") -> None:
    """64 streams end in-band, those that wait at once; who comes meanwhile is refused in words."""
    server = start_server(STROPHE_MAX_STREAMS="64", STROPHE_MAX_QUEUE="9", STROPHE_DRAIN="6")
    with ExitStack() as crowd, ThreadPoolExecutor(9) as pool:
        running = [crowd.enter_context(begin(server, EVENTS)) for _ in range(63)]
        text = crowd.enter_context(begin(server)).iter_content(10)
        assert next(text)
        queued_events = crowd.enter_context(begin(server, EVENTS))
        queued = [pool.submit(begin, server, each) for each in (None, JSON) * 4]
        server.wait_for_metric("strophe_requests_waiting", 9, timeout_s=15)
        server.terminate()
        refused = [each.result(timeout=3) for each in queued]
        assert {each.status_code for each in refused} == {503}
        assert {each.json()["error"]["code"] for each in refused} == {"stopping"}
        assert {each.headers["Retry-After"] for each in refused} == {"1"}
        assert last_event(queued_events)["error"]["code"] == "stopping"
        for pid in (*server.workers, server.process.pid):
            os.kill(pid, signal.SIGTERM)  # again, as an init system may: it changes nothing
        late = [begin(server) for _ in range(8)]
        assert {each.status_code for each in late} == {503}
        assert {each.headers["Connection"] for each in late} == {"close"}
        assert {each.headers["Retry-After"] for each in late} == {"1"}
        assert requests.get(server.url + "/healthz", timeout=2).status_code == 200
        for url in (server.url, server.ops_url):
            assert requests.get(url + "/readyz", timeout=2).status_code == 503
        assert {last_event(each)["error"]["code"] for each in running} == {"stopping"}
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            list(text)
    assert server.process.wait(timeout=ENDS_WITHIN_S) == 0
    assert "Traceback" not in server.log


def test_a_stream_that_ends_in_time_is_whole_and_then_the_service_ends(
    start_server: "StartServer",
) -> None:
    server = start_server(loads=True, STROPHE_DRAIN=ENDLESSLY)
    length = {"max_tokens": 4000, "min_tokens": 4000}
    with requests.post(server.url + "/v1/generate", json=length, stream=True, timeout=20) as text:
        chunks = text.iter_content(10)
        begun = next(chunks)
        server.terminate()
        assert len(begun + b"".join(chunks)) == 4000
    assert server.process.wait(timeout=ENDS_WITHIN_S) == 0


def test_an_idle_service_ends_at_once_whoever_is_connected(start_server: "StartServer") -> None:
    server = start_server(STROPHE_DRAIN=ENDLESSLY, STROPHE_READ_HEAD=ENDLESSLY)
    with ExitStack() as crowd:
        for sent in (b"", b"GET /healthz HTTP/1.1\r\n"):
            half = crowd.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            half.sendall(sent)
        session = crowd.enter_context(requests.Session())
        assert session.get(server.url + "/healthz", timeout=20).ok
        server.terminate()
        assert server.process.wait(timeout=ENDS_WITHIN_S) == 0
    assert "Traceback" not in server.log


def test_ctrl_c_after_sigterm_waits_no_longer(start_server: "StartServer") -> None:
    server = start_server(STROPHE_DRAIN=ENDLESSLY)
    with begin(server, EVENTS) as stream:
        chunks = stream.iter_content(10)  # an iterator that nobody keeps hangs up as it goes
        assert next(chunks)
        server.terminate()
        wait_until(lambda: server.probe("/readyz") == 503)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=ENDS_WITHIN_S) == 0


def has_loaded(pid: int, library: str) -> bool:
    return library in Path(f"/proc/{pid}/maps").read_text()


@pytest.mark.parametrize("library", ["python", "libtorch_cpu"])
def test_a_signal_during_the_start_ends_it(
    unready_server: Callable[..., "Server"], library: str
) -> None:
    """As soon as there is a worker, and while it loads."""
    server = unready_server(loads=True, STROPHE_DRAIN="3")
    wait_until(lambda: any(has_loaded(worker, library) for worker in server.workers))
    server.terminate()
    assert server.process.wait(timeout=ENDS_WITHIN_S) in (0, -signal.SIGTERM)
    assert "Traceback" not in server.log


def test_a_worker_without_its_master_drains_and_ends(
    unready_server: Callable[..., "Server"],
) -> None:
    server = unready_server(STROPHE_DRAIN="2")
    server.wait_until_ready()
    (worker,) = server.workers
    with begin(server, EVENTS) as stream:
        server.process.kill()
        assert last_event(stream)["error"]["code"] == "stopping"
    wait_until(lambda: not Path(f"/proc/{worker}").exists())


def test_a_worker_that_is_killed_is_replaced_and_no_stream_ends_cleanly(
    start_server: "StartServer",
) -> None:
    server = start_server()
    open_files = Path(f"/proc/{server.process.pid}/fd")
    before = len(list(open_files.iterdir()))
    (worker,) = server.workers
    with ExitStack() as crowd:
        streams = [crowd.enter_context(begin(server, form)) for form in (None, EVENTS) * 4]
        for each in streams:
            assert each.raw.read(1)
        os.kill(worker, signal.SIGKILL)
        for each in streams:
            with pytest.raises(CUT):
                list(each.iter_content(1000))
    wait_until(lambda: server.workers not in ([], [worker]))
    server.wait_until_ready()
    body = {"max_tokens": 5, "min_tokens": 5}
    assert len(requests.post(server.url + "/v1/generate", json=body, timeout=10).text) == 5
    for path in ("/healthz", "/readyz", "/metrics"):
        for url in (server.url, server.ops_url):
            assert requests.get(url + path, timeout=20).status_code == 200
    assert len(server.workers) == 1
    assert len(list(open_files.iterdir())) == before


def kill_next_worker(server: "Server", *, after: set[int]) -> None:
    """Kill a worker that is none of these, as soon as there is one; it joins them."""
    wait_until(lambda: bool(set(server.workers) - after))
    worker = (set(server.workers) - after).pop()
    os.kill(worker, signal.SIGKILL)
    after.add(worker)


def test_a_worker_that_dies_again_and_again_before_it_is_ready_ends_the_master(
    unready_server: Callable[..., "Server"],
) -> None:
    """Not where one was ready between the deaths."""
    server, dead = unready_server(), set[int]()
    for _ in range(2):
        for _ in range(MAX_DEATHS - 1):
            kill_next_worker(server, after=dead)
        server.wait_until_ready()
    kill_next_worker(server, after=dead)  # it was ready
    for _ in range(MAX_DEATHS):
        assert server.process.poll() is None
        kill_next_worker(server, after=dead)
    assert server.process.wait(timeout=ENDS_WITHIN_S) == CRASH_LOOP_EXIT_CODE
    assert server.log.count('"crash_loop"') == 1
    assert "Traceback" not in server.log
