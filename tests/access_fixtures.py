"""Fixtures of the tests of access control: services with keys and limits, and a Redis."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from flask.testing import FlaskClient
from waiting import wait_until

from service.app import create_app
from service.observability.metrics import Metrics
from service.server.service_process import Service
from service.settings import Settings

pytest_plugins = ["service_fixtures"]

MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def make_client(service: Service) -> MakeClient:
    """Another application with these settings before the engine of `service`."""

    def make(**settings: Any) -> FlaskClient:
        checked = Settings.model_validate({"max_streams": 2, "max_queue": 1, **settings})
        app = create_app(checked, service.engine, service.registry, Metrics())
        return app.test_client()

    return make


class RedisServer:
    """A real redis-server that keeps nothing on disk, and can go away and come back."""

    def __init__(self, port: int, folder: Path) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self._port, self._folder = port, folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {"port": str(self._port), "bind": "127.0.0.1", "save": "", "appendonly": "no"}
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            ["redis-server", *flags], cwd=self._folder, stdout=subprocess.DEVNULL
        )
        with redis.Redis.from_url(self.url) as connection:
            wait_until(lambda: answers(connection))

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None


def answers(connection: "redis.Redis") -> bool:
    try:
        return bool(connection.ping())
    except redis.RedisError:
        return False


@pytest.fixture
def redis_server(free_ports: Callable[[int], list[int]], tmp_path: Path) -> Iterator[RedisServer]:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    server = RedisServer(free_ports(1)[0], tmp_path)
    server.start()
    yield server
    server.stop()
