"""Checkpoints from a store: a real S3 server on loopback, swapped under streams, gone and back."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from exposition import metric_sum
from flask.testing import FlaskClient
from structlog.testing import capture_logs
from waiting import wait_until

from model import checkpoint as checkpoints
from service.server.service_process import Service
from service.settings import Settings

s3fs = pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")

MakeCheckpoint = Callable[..., Path]
SECRET = "c2VjcmV0LW9mLXRoZS10ZXN0cw"
BUCKET = "poems"
FIELDS = {"seed": 3, "max_tokens": 3000, "min_tokens": 3000}
EVENTS = {"Accept": "text/event-stream"}


class S3:
    """A real S3 server in this process, whose buckets survive that it is stopped."""

    def __init__(self) -> None:
        self.start(0)

    def start(self, port: int) -> None:
        self._server = moto_server.ThreadedMotoServer("127.0.0.1", port, verbose=False)
        self._server.start()
        _, self.port = self._server.get_host_and_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._server.stop()

    def upload(self, folder: Path, place: str) -> None:
        """Upload a checkpoint, a file after the other."""
        for file in sorted(folder.iterdir()):
            self._files().put_file(str(file), f"{BUCKET}/{place}/{file.name}")

    def remove(self, place: str) -> None:
        self._files().rm(f"{BUCKET}/{place}", recursive=True)

    def _files(self) -> Any:
        return s3fs.S3FileSystem(use_listings_cache=False)


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with pytest.MonkeyPatch.context() as environment:
        server = S3()
        environment.setenv("AWS_ENDPOINT_URL", server.url)
        environment.setenv("AWS_ACCESS_KEY_ID", "AKIATESTS")
        environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3fs.S3FileSystem(skip_instance_cache=True).mkdir(BUCKET)
        yield server
        server.stop()


@contextmanager
def served(places: str, cache: Path) -> Iterator[FlaskClient]:
    settings = Settings.model_validate(
        {"checkpoints": places, "cache": cache, "threads": 1, "poll": 0.05, "max_streams": 4}
    )
    with socket.create_server(("127.0.0.1", 0)) as ops_socket:
        service = Service(settings, ops_socket, shipped=cache / "nothing")
        service.start()
        try:
            assert service.registry.wait_for_first_scan(60)
            yield service.app.test_client()
        finally:
            service.stop()


def ready(client: FlaskClient) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/readyz").get_json()
    return answer


def loaded(client: FlaskClient) -> list[tuple[str, str, int]]:
    keys = ("name", "fingerprint", "generation")
    return [tuple(model[key] for key in keys) for model in ready(client)["models"]]


def trouble(client: FlaskClient) -> str | None:
    (store,) = ready(client)["stores"]
    told: str | None = store["trouble"]
    return told


def fingerprint(folder: Path) -> str:
    return f"fp_{checkpoints.load(folder).digest}"


def text_of(stream: Any) -> str:
    lines = b"".join(stream.response).decode().splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
    return "".join(event.get("text", "") for event in events)


def generated(client: FlaskClient) -> str:
    return client.post("/v1/generate", json={**FIELDS, "model": "verse"}).text


def test_stores_and_folders_are_served_side_by_side_the_first_wins(
    s3: S3, tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    here = make_checkpoint(tmp_path / "here" / "verse")
    there = make_checkpoint(tmp_path / "there" / "verse", seed=1)
    for name in ("prose", "verse"):
        s3.upload(there, f"mixed/{name}")
    address, cache = f"s3://{BUCKET}/mixed", tmp_path / "cache"
    prose = ("prose", fingerprint(there), 1)
    with served(f"{here.parent}, {address}", cache) as client:
        assert loaded(client) == [prose, ("verse", fingerprint(here), 1)]
    with served(f"{address},{here.parent}", cache) as client:
        assert loaded(client) == [prose, ("verse", fingerprint(there), 1)]
        assert ready(client)["stores"] == [{"address": address, "trouble": None}]
        s3.remove("mixed/prose")
        wait_until(lambda: [name for name, *_ in loaded(client)] == ["verse"])


def test_a_model_swapped_in_the_store_is_mixed_into_no_stream(
    s3: S3, tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    old = make_checkpoint(tmp_path / "old" / "verse")
    new = make_checkpoint(tmp_path / "new" / "verse", seed=1)
    s3.upload(old, "swapped/verse")
    with served(f"s3://{BUCKET}/swapped", tmp_path / "cache") as client:
        whole = generated(client)
        asked = {"json": {**FIELDS, "model": "verse"}, "headers": EVENTS}
        streams = [client.post("/v1/generate", **asked) for _ in range(3)]
        s3.upload(new, "swapped/verse")
        wait_until(lambda: loaded(client) == [("verse", fingerprint(new), 2)])
        assert [text_of(stream) for stream in streams] == [whole] * 3
        assert generated(client) != whole


def test_a_store_that_is_lost_takes_nothing_away_and_is_found_again(
    s3: S3, tmp_path: Path, make_checkpoint: MakeCheckpoint
) -> None:
    folder = make_checkpoint(tmp_path / "verse")
    s3.upload(folder, "lost/verse")
    place, cache = f"s3://{BUCKET}/lost", tmp_path / "cache"
    expected = [("verse", fingerprint(folder), 1)]
    with capture_logs() as lines:
        with served(place, cache) as client:
            assert loaded(client) == expected
            s3.stop()
            wait_until(lambda: trouble(client) is not None)
            assert (client.get("/readyz").status_code, loaded(client)) == (200, expected)
            assert len(generated(client)) == 3000
            assert metric_sum(client.get("/metrics").text, "strophe_stores_failing") == 1
        with served(place, cache) as client:  # from what the last one fetched
            assert loaded(client) == expected
            assert str(trouble(client)).startswith(place)
            s3.start(s3.port)
            wait_until(lambda: trouble(client) is None)
            assert loaded(client) == expected
    told = [line["event"] for line in lines if line["event"].startswith("store_")]
    assert told == ["store_lost", "store_lost", "store_back"]
    assert SECRET not in str(lines)
