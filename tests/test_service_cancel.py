"""A generation is cancelled by its id, and one that waits tells its place."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from waiting import wait_until

from service.app import create_app
from service.observability.metrics import Metrics
from service.server.service_process import Service
from service.settings import Settings

pytest_plugins = ["service_fixtures"]

ENDLESS = {"max_tokens": 50_000, "min_tokens": 50_000, "seed": 1}


class Stream:
    """A generation whose events are read one by one."""

    def __init__(self, client: FlaskClient, path: str = "/v1/generate", **fields: object) -> None:
        self.response: Any = client.post(
            path,
            data=json.dumps({**ENDLESS, **fields}),
            headers={"Accept": "text/event-stream"},
            buffered=False,
        )
        self._chunks: Iterator[bytes] = iter(self.response.iter_encoded())

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *error: object) -> None:
        self.response.close()

    @property
    def job_id(self) -> str:
        return str(self.response.headers["X-Strophe-Id"])

    def next(self) -> str:
        return next(self._chunks).decode()

    def rest(self) -> list[str]:
        return b"".join(self._chunks).decode().split("\n\n")


@pytest.fixture(autouse=True)
def idle(service: Service) -> None:
    """Nothing is left from the test before: the engine comes to a cancellation a moment later."""
    engine = service.engine
    wait_until(lambda: engine.load.num_running == engine.load.num_waiting == 0)


def cancel(client: FlaskClient, job_id: str) -> Any:
    return client.post(f"/v1/generate/{job_id}/cancel")


def test_a_cancelled_stream_ends_cleanly_where_it_is(client: FlaskClient) -> None:
    with Stream(client) as stream:
        stream.next()
        stream.next()
        answer = cancel(client, stream.job_id)
        assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
        *_, last, usage, done, nothing = stream.rest()
    assert json.loads(last.partition("data: ")[2])["finish_reason"] == "cancelled"
    assert json.loads(usage.removeprefix("data: "))["usage"]["completion_tokens"] > 0
    assert (done, nothing) == ("data: [DONE]", "")
    assert cancel(client, stream.job_id).status_code == 404


@pytest.mark.parametrize("job_id", ["gen-0", "x", "%00", "a" * 3000, "gen-%E2%80%A8"])
def test_what_is_not_under_way_cannot_be_cancelled(client: FlaskClient, job_id: str) -> None:
    answer = cancel(client, job_id)
    assert answer.status_code == 404
    assert answer.json["error"]["param"] == "id"


def test_a_cancellation_at_another_replica_is_told_which_one_it_belongs_to(
    service: Service, tmp_path: Path
) -> None:
    """Two replicas of one engine: each knows what it has started itself."""

    def replica(name: str | None) -> FlaskClient:
        settings = Settings(checkpoints=tmp_path, max_tokens=50_000, replica=name)
        app = create_app(settings, service.engine, service.registry, Metrics())
        return app.test_client()

    here, there, nameless = replica("pod-1"), replica("pod-2"), replica(None)
    with Stream(here) as stream:
        stream.next()
        assert stream.job_id.startswith("gen-pod-1-")
        for other in (there, nameless):
            answer = cancel(other, stream.job_id)
            assert (answer.status_code, answer.headers["X-Strophe-Replica"]) == (421, "pod-1")
            assert answer.json["error"]["code"] == "misdirected_request"
        assert cancel(here, stream.job_id).status_code == 200
        stream.rest()
    assert cancel(here, stream.job_id).status_code == 404


def test_one_that_waits_tells_its_place_and_can_be_cancelled_there(client: FlaskClient) -> None:
    with ExitStack() as crowd:
        running = [crowd.enter_context(Stream(client)) for _ in range(2)]
        for stream in running:
            stream.next()
        late = crowd.enter_context(Stream(client))
        assert '"id"' in late.next()
        assert late.next() == ": waiting, 0 ahead\n"
        cancel(client, late.job_id)
        assert '"finish_reason":"cancelled"' in late.rest()[0]


def test_a_place_is_told_again_only_when_it_has_changed(client: FlaskClient) -> None:
    with ExitStack() as crowd:
        running = [crowd.enter_context(Stream(client)) for _ in range(2)]
        for stream in running:
            stream.next()
        late = crowd.enter_context(Stream(client, max_tokens=5, min_tokens=5))
        late.next()
        assert late.next() == ": waiting, 0 ahead\n"
        cancel(client, running[0].job_id)
        frames = late.rest()
        assert not any(frame.startswith(":") for frame in frames)
        assert '"finish_reason":"length"' in frames[-4]
