"""A request that takes longer than STROPHE_MAX_SECONDS, in each form of the answer."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from service.api.streaming import StreamCutError
from service.server.service_process import Service
from service.settings import Settings

ENDLESS = json.dumps({"max_tokens": 1_000_000, "min_tokens": 1_000_000})


@pytest.fixture(scope="module")
def client(
    tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """One slot, and half a second for each request."""
    settings = Settings(
        checkpoints=tiny_checkpoint.parent,
        max_streams=1,
        max_seconds=0.5,
        max_tokens=1_000_000,
        threads=1,
    )
    with socket.create_server(("127.0.0.1", 0)) as ops_socket:
        service = Service(settings, ops_socket, shipped=tmp_path_factory.mktemp("nothing"))
        service.start()
        yield service.app.test_client()
        service.stop()


def ask(client: FlaskClient, form: str) -> TestResponse:
    return client.post("/v1/generate", data=ENDLESS, headers={"Accept": form})


def test_one_object_becomes_a_504(client: FlaskClient) -> None:
    answer = ask(client, "application/json")
    assert answer.status_code == 504
    assert answer.headers["X-Should-Retry"] == "false"  # OpenAI's clients would, twice
    error = answer.get_json()["error"]
    assert (error["code"], error["type"]) == ("timeout", "server_error")


def test_events_end_with_the_error(client: FlaskClient) -> None:
    events = ask(client, "text/event-stream").text.split("\n\n")
    assert json.loads(events[-2].removeprefix("data: "))["error"]["code"] == "timeout"
    assert '"text"' in events[1]


def test_text_is_cut(client: FlaskClient) -> None:
    with pytest.raises(StreamCutError):
        assert not ask(client, "text/plain").text
