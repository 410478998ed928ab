"""Fixtures of the service's tests. A test module asks for them by `pytest_plugins`.

`service` is a whole service in this process (all but gunicorn); `start_server` runs the real
command in a process of its own.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from exposition import metric_sum
from flask.testing import FlaskClient
from forked import ROOT, Forked
from waiting import ENDS_WITHIN_S

from model.decoding.generation import Generation
from model.layer_inspection import InspectedLayer
from model.parameters import SamplingParams
from model.tokenizer import Tokenizer
from service.engine.engine import Engine
from service.engine.request import Request, Runner
from service.engine.scheduler import Scheduler
from service.observability.metrics import Metrics
from service.server.service_process import Service
from service.settings import Settings


@pytest.fixture(scope="session")
def free_ports() -> Callable[[int], list[int]]:
    """That many ports on which nobody listens."""

    def find(count: int) -> list[int]:
        sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
        ports = [each.getsockname()[1] for each in sockets]
        for each in sockets:
            each.close()
        return ports

    return find


@pytest.fixture(scope="module")
def service(worded_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service with the model `tiny` and room for two texts and one more request."""
    settings = Settings(
        checkpoints=worded_checkpoint.parent,
        max_streams=2,
        max_queue=1,
        max_prompt=1000,
        max_tokens=50_000,
        max_body=20_000,
        threads=1,
    )
    with socket.create_server(("127.0.0.1", 0)) as ops_socket:
        running = Service(settings, ops_socket, shipped=tmp_path_factory.mktemp("nothing"))
        running.start()
        yield running
        running.stop()


@pytest.fixture
def client(service: Service) -> FlaskClient:
    """Speaks to the application without a network."""
    return service.app.test_client()


@pytest.fixture
def make_engine() -> Iterator[Callable[..., Engine]]:
    """A started engine."""
    engines: list[Engine] = []

    def make(slots: int = 32, queue: int = 64) -> Engine:
        scheduler: Scheduler[Request] = Scheduler(num_slots=slots, max_waiting=queue)
        engines.append(Engine(scheduler, Metrics().engine))
        engines[-1].start()
        return engines[-1]

    yield make
    for engine in engines:
        engine.stop()


@pytest.fixture
def make_request(tokenizer: Tokenizer) -> Callable[..., Request]:
    """A request that goes on until it is cancelled, unless its fields say otherwise."""

    def make(
        runner: Runner,
        prompt: str = "",
        *,
        n: int = 1,
        prompt_logprobs: int | None = None,
        inspected_layer: InspectedLayer | None = None,
        **fields: object,
    ) -> Request:
        params = SamplingParams.checked(**{"max_tokens": 1_000_000, "seed": 1, **fields})
        encoded = tokenizer.encode_prompt(prompt)
        seeds = [params.model_copy(update={"seed": (params.seed or 0) + i}) for i in range(n)]
        return Request(
            request_id=prompt[:10],
            model="tiny",
            runner=runner,
            prompt=encoded,
            generations=[Generation(tokenizer, encoded, each) for each in seeds],
            prompt_logprobs=prompt_logprobs,
            inspected_layer=inspected_layer,
        )

    return make


class Server:
    """`python -m service` as a process; with `loads`, one that loads its modules itself."""

    def __init__(
        self, port: int, ops_port: int, environment: dict[str, str], log: Path, *, loads: bool
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.ops_url = f"http://127.0.0.1:{ops_port}"
        self.port = port
        self._log = log
        self._is_told = False  # to end
        own = {
            "STROPHE_PORT": str(port),
            "STROPHE_OPS_PORT": str(ops_port),
            # A small network writes 100,000 characters in a second: texts to be cut are longer.
            "STROPHE_MAX_TOKENS": "1000000",
            **environment,
        }
        surroundings = {**os.environ, **own, "PYTHONPATH": str(ROOT)}
        command, folder = ["-m", "service"], log.parent
        self.process: Forked | subprocess.Popen[bytes]
        with log.open("wb") as output:
            if loads:
                self.process = subprocess.Popen(
                    [sys.executable, *command],
                    env=surroundings,
                    cwd=folder,
                    stderr=output,
                    stdout=output,
                )
            else:
                self.process = Forked(
                    command, environment=surroundings, folder=folder, output=output
                )

    def wait_until_ready(self, timeout_s: float = 60) -> None:
        deadline = time.monotonic() + timeout_s
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                if requests.get(self.ops_url + "/readyz", timeout=5).ok:
                    return
            except (requests.ConnectionError, requests.Timeout):
                pass  # on a busy machine loading takes longer than a probe waits
            time.sleep(0.05)
        raise AssertionError(f"the server is not ready: {self.log}")

    def probe(self, path: str) -> int:
        """Status that the ops listener answers with."""
        return requests.get(self.ops_url + path, timeout=2).status_code

    def metric(self, name: str) -> float:
        return metric_sum(requests.get(self.ops_url + "/metrics", timeout=5).text, name)

    def wait_for_metric(self, name: str, value: float, timeout_s: float = 30) -> None:
        """Return as soon as the metric has the value."""
        deadline = time.monotonic() + timeout_s
        while (current := self.metric(name)) != value:
            assert time.monotonic() < deadline, f"{name} is {current}, not {value}"
            time.sleep(0.02)

    def wait_until_freed(self, name: str) -> None:
        """Return once a gauge is 0 after a client has left, and long before its text would end.

        The service looks every quarter of a second (CLIENT_CHECK_S). Two seconds would do on an
        idle machine; five leave time for one whose cores are all busy.
        """
        self.wait_for_metric(name, 0, timeout_s=5)

    def ask_and_leave(
        self, path: str, fields: dict[str, Any], *, accept: str = "*/*", once: str
    ) -> None:
        """Post a request, and hang up without an answer once the metric `once` is 1."""
        body = json.dumps(fields).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n"
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            self.wait_for_metric(once, 1)

    @property
    def workers(self) -> list[int]:
        """Process ids of those that write; the service's own process only watches them."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in children.split()]

    @property
    def log(self) -> str:
        """Whole lines of the log so far; the last may be in the middle of being written."""
        whole, end, _ = self._log.read_bytes().rpartition(b"\n")
        return (whole + end).decode()

    def terminate(self) -> None:
        self._is_told = True
        self.process.send_signal(signal.SIGTERM)

    def end(self) -> int:
        # Not twice: at the very end of a process a signal finds no handler any more.
        if self.process.poll() is None and not self._is_told:
            self.terminate()
        try:
            return self.process.wait(timeout=ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


StartServer = Callable[..., Server]
Beginning = Callable[[], AbstractContextManager[StartServer]]


@pytest.fixture(scope="session")
def beginning(
    free_ports: Callable[[int], list[int]],
    tiny_checkpoint: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Beginning:
    """Context in which servers with the model `tiny` are begun; all are ended in the end."""

    @contextmanager
    def begin_servers() -> Iterator[StartServer]:
        begun: list[Server] = []

        def begin(*, loads: bool = False, **environment: str) -> Server:
            port, ops_port = free_ports(2)
            port = int(environment.get("STROPHE_PORT", port))
            settings = {
                "STROPHE_CHECKPOINTS": str(tiny_checkpoint.parent),
                "STROPHE_THREADS": "1",
                "STROPHE_DEFAULT_MODEL": "tiny",
                "STROPHE_SHIPPED": "verse",  # alone, which is sooner ready
                **environment,
            }
            log = tmp_path_factory.mktemp("server") / "log"
            begun.append(Server(port, ops_port, settings, log, loads=loads))
            return begun[-1]

        yield begin
        for server in begun:
            server.end()

    return begin_servers


@contextmanager
def starting(begin: StartServer) -> Iterator[StartServer]:
    """Start servers and wait until they are ready; each must end well."""
    started: list[Server] = []

    def start(*, loads: bool = False, **environment: str) -> Server:
        server = begin(loads=loads, **environment)
        started.append(server)
        server.wait_until_ready()
        return server

    yield start
    codes = [server.end() for server in started]
    assert codes == [0] * len(started)


@pytest.fixture(scope="module")
def unready_server(beginning: Beginning) -> Iterator[StartServer]:
    """Begin to start a server with the model `tiny`; settings are STROPHE_... keywords."""
    with beginning() as begin:
        yield begin


@pytest.fixture(scope="module")
def start_server(unready_server: StartServer) -> Iterator[StartServer]:
    """The same, ready; each must end well."""
    with starting(unready_server) as start:
        yield start


@pytest.fixture(scope="session")
def start_lasting_server(beginning: Beginning) -> Iterator[StartServer]:
    """The same, for all modules of a run: one that each of many would start anew."""
    with beginning() as begin, starting(begin) as start:
        yield start


@pytest.fixture
def idle(server: Server) -> Iterator[Server]:
    """The `server` of a test module, which each test leaves with nothing to do."""
    yield server
    server.wait_for_metric("strophe_streams_running", 0)
    server.wait_for_metric("strophe_requests_waiting", 0)
