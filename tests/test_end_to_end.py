"""The main job: a corpus becomes a checkpoint, and the running service streams from it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from waiting import wait_until

from model import checkpoint as checkpoints
from model.decoding.decoder import decoder_of
from model.decoding.reference_driver import generate
from model.parameters import SamplingParams
from training.__main__ import main as train

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]
pytestmark = pytest.mark.slow

FIELDS = {"prompt": "The sea", "seed": 3, "max_tokens": 300, "min_tokens": 300, "temperature": 0.7}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for runs and checkpoints."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "checkpoints").mkdir()
    return folder


@pytest.fixture(scope="module")
def server(start_server: "StartServer", home: Path) -> "Server":
    """A service that watches the checkpoints of `home`, with nothing in it yet."""
    return start_server(
        STROPHE_CHECKPOINTS=str(home / "checkpoints"), STROPHE_DEFAULT_MODEL="", STROPHE_POLL="0.1"
    )


def train_for(home: Path, steps: int, name: str) -> None:
    folders = ["--runs-dir", str(home / "runs"), "--checkpoints-dir", str(home / "checkpoints")]
    shape = ["--hidden-size", "96", "--evaluations", "1", "--learning-rate", "0.01"]
    assert train(["train", "--steps", str(steps), "--name", name, *folders, *shape]) == 0


def wait_for_model(server: "Server", name: str) -> None:
    wait_until(lambda: name in requests.get(f"{server.url}/v1/models", timeout=5).text)


def stream(server: "Server", **fields: object) -> str:
    answer = requests.post(f"{server.url}/v1/generate", json={**FIELDS, **fields}, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture(scope="module")
def trained(server: "Server", home: Path) -> "Server":
    """The same service, once it offers a model that was trained while it ran."""
    train_for(home, 250, "mine")
    wait_for_model(server, "mine")
    return server


def test_a_model_trained_beside_the_running_service_is_served(trained: "Server") -> None:
    text = stream(trained, model="mine")
    words = text.split()
    assert len(text) == 300
    assert len(words) > 30  # verse-like: spaces where words end
    assert {"the", "and", "a"} & {word.lower() for word in words}


def test_the_service_streams_what_the_checkpoint_generates(trained: "Server", home: Path) -> None:
    loaded = checkpoints.load(home / "checkpoints" / "mine")
    fields = {name: value for name, value in FIELDS.items() if name != "prompt"}
    decoder, params = decoder_of(loaded.network), SamplingParams.checked(**fields)
    pieces = generate(decoder, loaded.tokenizer, "The sea", params)
    assert stream(trained, model="mine") == "".join(piece.text for piece in pieces)


def test_the_model_that_ships_is_offered_and_stays_the_default(trained: "Server") -> None:
    listed = requests.get(f"{trained.url}/v1/models", timeout=5).json()["data"]
    assert {entry["id"] for entry in listed} == {"verse", "mine"}
    assert stream(trained) == stream(trained, model="verse")


def test_the_model_that_ships_writes_lines_of_verse(trained: "Server") -> None:
    headers = {"Accept": "application/json"}
    fields = {**FIELDS, "model": "verse"}
    url = f"{trained.url}/v1/generate"
    answer = requests.post(url, json=fields, headers=headers, timeout=30).json()
    lines = [line for line in answer["choices"][0]["text"].split("\n") if line]
    assert len(lines) >= 5
    assert sum(line[0].isupper() for line in lines) >= len(lines) / 2
    assert max(len(line) for line in lines) < 120


def test_a_replaced_checkpoint_does_not_disturb_a_running_stream(
    trained: "Server", home: Path
) -> None:
    fields = {**FIELDS, "model": "mine", "max_tokens": 6000, "min_tokens": 6000}
    before = stream(trained, **fields)
    headers = {"Accept": "text/event-stream"}
    with requests.post(
        f"{trained.url}/v1/generate", json=fields, headers=headers, stream=True, timeout=30
    ) as answer:
        lines = answer.iter_lines()
        next(lines)
        other = checkpoints.load(home / "checkpoints" / "mine")
        other.network.output.bias.data.add_(1.0)
        other.network.output.bias.data[5] += 20.0
        checkpoints.save(other, home / "checkpoints" / "mine")
        events = [json.loads(e[6:]) for e in lines if e.startswith(b"data: {")]
    assert "".join(event.get("text", "") for event in events) == before
    wait_until(lambda: stream(trained, **FIELDS, model="mine") != before[:300])
