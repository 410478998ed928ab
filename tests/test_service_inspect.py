"""`POST /v1/inspect`: what it tells, within which bounds, and that it agrees with the others."""

import base64
import json
import math
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import requests
import torch
from flask.testing import FlaskClient
from unit_equations import SUMS, sigmoid, unit_equations

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.config import Cell
from service.api.inspect import InspectRequest
from service.server.service_process import Service
from service.settings import Settings

if TYPE_CHECKING:
    from conftest import MakeCheckpoint
    from service_fixtures import Server

pytest_plugins = ["service_fixtures"]

TEXT = "Shall I compare thee\nto a summer's day?"
WIDTH = 32  # of the checkpoint `tiny`
FIELDS = [
    "id",
    "model",
    "fingerprint",
    "num_layers",
    "hidden_size",
    "layer",
    "text",
    "tokens",
    "gates",
    "hidden",
    "cell",
    "units",
]
EVENTS = {"Accept": "text/event-stream"}


def ask(client: FlaskClient, text: str = TEXT, **fields: object) -> Any:
    return client.post("/v1/inspect", data=json.dumps({"text": text, **fields}))


def inspected(client: FlaskClient, text: str = TEXT, **fields: object) -> dict[str, Any]:
    response = ask(client, text, **fields)
    assert response.status_code == 200, response.text
    assert response.content_type == "application/json"
    answer: dict[str, Any] = response.json
    assert list(answer) == FIELDS
    assert answer.pop("id").startswith("inspect-")
    return answer


def states(content: str, width: int = WIDTH) -> np.ndarray:
    raw = base64.b64decode(content, validate=True)
    return np.frombuffer(raw, dtype=np.int8).reshape(-1, width).astype(int)


def test_it_tells_the_network_the_text_and_each_token(client: FlaskClient) -> None:
    answer = inspected(client)
    assert (answer["model"], answer["num_layers"], answer["hidden_size"]) == ("tiny", 2, WIDTH)
    assert answer["layer"] == 1
    assert answer["text"] == {"characters": len(TEXT), "folded": 0, "unknown": 0}
    assert "".join(entry["token"] for entry in answer["tokens"]) == TEXT
    for entry in answer["tokens"]:
        assert list(entry) == ["token", "surprisal", "probability", "top"]
        assert len(entry["top"]) == 5
        chances = [each["probability"] for each in entry["top"]]
        assert chances == sorted(chances, reverse=True)
        assert 0 < entry["probability"] <= chances[0] < 1
        assert entry["surprisal"] == pytest.approx(-math.log2(entry["probability"]), abs=1e-4)


def test_gates_and_states_have_a_value_for_each_token(client: FlaskClient) -> None:
    answer = inspected(client)
    assert list(answer["gates"]) == ["forget", "input", "output"]
    for values in answer["gates"].values():
        assert len(values) == len(TEXT)
        assert all(0 < value < 1 and value == round(value, 5) for value in values)
    assert states(answer["hidden"]).shape == states(answer["cell"]).shape == (len(TEXT), WIDTH)


@pytest.mark.parametrize("layer", [0, 1])
def test_states_are_those_of_the_network_after_each_token(
    client: FlaskClient, tiny: Checkpoint, layer: int
) -> None:
    answer = inspected(client, layer=layer)
    assert answer["layer"] == layer
    state = tiny.network.zero_state(1)
    rows = []
    for token in tiny.tokenizer.encode_prompt(TEXT).ids:
        _, state = tiny.network(torch.tensor([[token]]), state)
        assert state.cell is not None
        rows.append((state.hidden[layer, 0], state.cell[layer, 0].tanh()))
    for name, column in zip(("hidden", "cell"), zip(*rows[1:], strict=True), strict=True):
        own = 127 * torch.stack(column).numpy()
        assert np.abs(states(answer[name]) - own).max() <= 0.5 + 127e-5


def test_surprisals_and_alternatives_are_those_of_scoring(
    client: FlaskClient, anthology: str
) -> None:
    text = anthology[:333]
    tokens = inspected(client, text, top=3)["tokens"]
    response: Any = client.post("/v1/score", data=json.dumps({"text": text, "logprobs": 3}))
    scored = response.json["tokens"]
    assert len(scored) == len(tokens)
    for ours, theirs in zip(tokens, scored, strict=True):
        assert ours["token"] == theirs["token"]
        assert ours["surprisal"] == round(-theirs["logprob"] / math.log(2), 6)
        assert ours["probability"] == pytest.approx(math.exp(theirs["logprob"]), rel=1e-5)
        pairs = zip(ours["top"], theirs["top"], strict=True)
        for mine, other in pairs:
            assert mine["token"] == other["token"]
            assert mine["probability"] == pytest.approx(math.exp(other["logprob"]), rel=1e-5)


def test_no_alternatives_and_many(client: FlaskClient) -> None:
    assert all(entry["top"] == [] for entry in inspected(client, top=0)["tokens"])
    assert all(len(entry["top"]) == 20 for entry in inspected(client, top=20)["tokens"])


def test_a_prefix_is_seen_as_in_the_whole(client: FlaskClient, anthology: str) -> None:
    """What a token gets does not depend on what comes after it."""
    text = anthology[:100]
    whole, part = inspected(client, text), inspected(client, text[:70])
    assert part["tokens"] == whole["tokens"][:70]
    assert np.abs(states(part["cell"]) - states(whole["cell"])[:70]).max() <= 1
    for gate, values in part["gates"].items():
        assert values == pytest.approx(whole["gates"][gate][:70], abs=2e-5)


def test_a_stream_beside_it_changes_no_byte_and_is_not_changed(client: FlaskClient) -> None:
    body = {"seed": 1, "max_tokens": 400, "min_tokens": 400}
    alone, answer = client.post("/v1/generate", data=json.dumps(body)).data, inspected(client)
    stream = client.post("/v1/generate", data=json.dumps(body), buffered=False)
    chunks = stream.iter_encoded()
    first = next(chunks)
    assert inspected(client) == answer
    assert first + b"".join(chunks) == alone


def test_characters_are_folded_as_those_of_a_prompt_are(client: FlaskClient) -> None:
    answer = inspected(client, "caf\u00e9 \u2014 \u6f22\r\n")
    assert answer["text"] == {"characters": 10, "folded": 2, "unknown": 1}
    assert [entry["token"] for entry in answer["tokens"]] == [*"cafe -- ", "<unk>", "\n"]
    assert states(answer["hidden"]).shape == (10, WIDTH)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "text"),
        ({"text": None}, "text"),
        ({"text": ""}, "text"),
        ({"text": 5}, "text"),
        ({"text": "\ud800"}, "text"),
        ({"text": "a", "layer": -1}, "layer"),
        ({"text": "a", "layer": 2}, "layer"),
        ({"text": "a", "layer": True}, "layer"),
        ({"text": "a", "layer": 1.0}, "layer"),
        ({"text": "a", "top": -1}, "top"),
        ({"text": "a", "top": 21}, "top"),
        ({"text": "a", "top": "5"}, "top"),
        ({"text": "a", "units": 1}, "units"),
        ({"text": "a", "units": [-1]}, "units.0"),
        ({"text": "a", "units": [WIDTH]}, "units"),
        ({"text": "a", "units": [True]}, "units.0"),
        ({"text": "a", "units": [3, 3]}, "units"),
        ({"text": "a", "units": list(range(17))}, "units"),
        ({"text": "a", "model": 1}, "model"),
        ({"text": "a", "logprobs": 1}, "logprobs"),
    ],
)
def test_what_it_cannot_take_is_refused_by_name(
    client: FlaskClient, body: dict[str, object], param: str
) -> None:
    response = client.post("/v1/inspect", data=json.dumps(body))
    assert response.status_code == 400
    assert response.get_json()["error"]["param"] == param


def test_refusals_say_what_would_be_right(client: FlaskClient) -> None:
    assert "must be 0 to 1" in ask(client, layer=2).json["error"]["message"]
    message = ask(client, prompt="a").json["error"]["message"]
    assert all(name in message for name in InspectRequest.model_fields)
    assert ask(client, model="gpt").status_code == 404


@pytest.mark.parametrize(("text", "length"), [("a" * 1001, 1001), ("\u2014" * 501, 1002)])
def test_more_text_than_may_be_is_refused(client: FlaskClient, text: str, length: int) -> None:
    """Also where it is longer as the model reads it: a dash is two hyphens here."""
    response = ask(client, text)
    assert response.status_code == 413
    error = response.json["error"]
    assert (error["param"], error["code"]) == ("text", "prompt_too_long")
    assert f"has {length} " in error["message"]
    assert "at most 1000" in error["message"]


def test_the_longest_text_is_bounded_by_its_own_setting() -> None:
    assert Settings(max_prompt=100_000).max_inspect == 4000


# Every number of a unit


def numbers(content: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(content, validate=True), dtype="<f4")


@pytest.mark.parametrize("layer", [0, 1])
def test_a_units_numbers_are_those_of_the_six_equations(
    client: FlaskClient, tiny: Checkpoint, layer: int
) -> None:
    seen = inspected(client, layer=layer, units=[7, 0])["units"]
    assert [each["unit"] for each in seen] == [7, 0]
    for each in seen:
        own = unit_equations(tiny, TEXT, layer, each["unit"])
        for name in SUMS:
            value = numbers(each[name]["value"])
            np.testing.assert_allclose(value, own[name], atol=1e-6)
            terms = numbers(each[name]["from_below"]) + numbers(each[name]["from_before"])
            total = terms + each[name]["bias"]
            squashed = np.tanh(total) if name == "candidate" else sigmoid(total)
            np.testing.assert_allclose(squashed, value, atol=1e-6)
        for name in ("cell", "hidden"):
            np.testing.assert_allclose(numbers(each[name]), own[name], atol=1e-6)


# In parts


def parts_of(client: FlaskClient, text: str, **fields: object) -> list[Any]:
    body = json.dumps({"text": text, **fields})
    response = client.post("/v1/inspect", data=body, headers=EVENTS)
    assert response.status_code == 200, response.text
    assert response.content_type == "text/event-stream; charset=utf-8"
    assert "X-Strophe-Seed" not in response.headers
    sent = [line[6:] for line in response.text.split("\n") if line.startswith("data: ")]
    assert sent.pop() == "[DONE]"
    return [json.loads(each) for each in sent]


def test_parts_together_are_the_whole_to_the_bit(client: FlaskClient, anthology: str) -> None:
    text = anthology[:999]
    whole = inspected(client, text, units=[3, 9], top=2)
    opening, *parts = parts_of(client, text, units=[3, 9], top=2)
    assert opening.pop("id").startswith("inspect-")
    assert opening == {name: whole[name] for name in opening}
    assert "".join(opening["fingerprint"])
    firsts = np.cumsum([0, *(len(part["tokens"]) for part in parts)])
    assert [part["first"] for part in parts] == firsts[:-1].tolist()
    assert [token for part in parts for token in part["tokens"]] == whole["tokens"]
    for gate in ("input", "forget", "output"):
        openings = [value for part in parts for value in part["gates"][gate]]
        assert openings == whole["gates"][gate]
    for name in ("hidden", "cell"):
        joined = np.concatenate([states(part[name]) for part in parts])
        assert (joined == states(whole[name])).all()
    for k, unit in enumerate(whole["units"]):
        pieces = [part["units"][k] for part in parts]
        assert (pieces[0]["cell_before"], pieces[0]["hidden_before"]) == (
            unit["cell_before"],
            unit["hidden_before"],
        )
        for name in SUMS:
            for term in ("value", "from_below", "from_before"):
                joined = np.concatenate([numbers(piece[name][term]) for piece in pieces])
                assert joined.tobytes() == numbers(unit[name][term]).tobytes()
        for name in ("cell", "hidden"):
            joined = np.concatenate([numbers(piece[name]) for piece in pieces])
            assert joined.tobytes() == numbers(unit[name]).tobytes()


def test_what_is_refused_is_refused_in_a_stream_as_well(client: FlaskClient) -> None:
    body = json.dumps({"text": "a", "layer": 2})
    response = client.post("/v1/inspect", data=body, headers=EVENTS)
    assert (response.status_code, response.json["error"]["param"]) == (400, "layer")  # type: ignore[index]
    other = client.post("/v1/inspect", data=body, headers={"Accept": "text/html"})
    assert other.status_code == 406


# Networks of other cells


@pytest.fixture(scope="module")
def others(
    make_checkpoint: "MakeCheckpoint", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FlaskClient]:
    """A service with a gru and an rnn."""
    folder = tmp_path_factory.mktemp("others")
    cells: tuple[Cell, ...] = ("gru", "rnn")
    for cell in cells:
        make_checkpoint(folder / cell, cell=cell, hidden=16, layers=1)
    settings = Settings(checkpoints=folder, threads=1)
    with socket.create_server(("127.0.0.1", 0)) as ops_socket:
        running = Service(settings, ops_socket, shipped=tmp_path_factory.mktemp("nothing"))
        running.start()
        yield running.app.test_client()
        running.stop()


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_cells_without_these_gates_say_so(others: FlaskClient, cell: str) -> None:
    answer = inspected(others, model=cell)
    assert (answer["num_layers"], answer["hidden_size"], answer["layer"]) == (1, 16, 0)
    assert answer["gates"] is None
    assert answer["cell"] is None
    assert len(answer["tokens"]) == len(TEXT)
    hidden = states(answer["hidden"], 16)
    assert hidden.shape == (len(TEXT), 16)
    assert hidden.any()
    assert answer["units"] == []
    error = ask(others, model=cell, units=[0]).json["error"]
    assert error["param"] == "units"
    assert cell in error["message"]
    opening, part = parts_of(others, TEXT, model=cell)
    assert (opening["model"], part["gates"], part["cell"]) == (cell, None, None)


# As a real process


@pytest.fixture(scope="module")
def server(start_server: Callable[..., "Server"], slow_checkpoint: Path) -> "Server":
    return start_server(
        STROPHE_CHECKPOINTS=str(slow_checkpoint.parent),
        STROPHE_DEFAULT_MODEL="slow",
        STROPHE_MAX_STREAMS="1",
        STROPHE_MAX_QUEUE="0",
        STROPHE_MAX_INSPECT="20000",
    )


@pytest.fixture(scope="module")
def slow_checkpoint(
    make_checkpoint: "MakeCheckpoint", tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Wide enough that a long text takes longer than its reader waits."""
    return make_checkpoint(tmp_path_factory.mktemp("slow") / "slow", hidden=512)


def test_a_client_that_leaves_frees_the_slot(server: "Server") -> None:
    for _ in range(2):  # the second would be refused if the first still held its slot
        server.ask_and_leave("/v1/inspect", {"text": "a" * 20_000}, once="strophe_slots_used")
        server.wait_until_freed("strophe_slots_used")


def test_parts_come_while_the_rest_is_read(server: "Server") -> None:
    """And one that is cancelled by its id ends with the reason."""
    server.wait_for_metric("strophe_slots_used", 0)
    body = {"text": "a" * 20_000, "top": 0}
    with requests.post(
        server.url + "/v1/inspect", json=body, headers=EVENTS, stream=True, timeout=30
    ) as response:
        sent = (
            json.loads(line[6:]) for line in response.iter_lines() if line.startswith(b"data: {")
        )
        opening, part = next(sent), next(sent)
        assert 0 < len(part["tokens"]) < 20_000
        assert part["first"] == 0
        cancelled = requests.post(f"{server.url}/v1/generate/{opening['id']}/cancel", timeout=5)
        assert cancelled.status_code == 200
        *_, last = sent
    assert last["error"]["code"] == "cancelled"


def test_an_answer_is_whole(server: "Server", slow_checkpoint: Path, anthology: str) -> None:
    server.wait_for_metric("strophe_slots_used", 0)
    text = anthology[:200]
    response = requests.post(server.url + "/v1/inspect", json={"text": text}, timeout=30)
    answer = response.json()
    assert list(answer) == FIELDS
    assert len(answer["tokens"]) == len(text)
    loaded = checkpoints.load(slow_checkpoint)
    ids = torch.tensor([loaded.tokenizer.encode_prompt(text).ids])
    _, state = loaded.network(ids, loaded.network.zero_state(1))
    own = 127 * state.hidden[1, 0].numpy()
    assert np.abs(states(answer["hidden"], 512)[-1] - own).max() <= 0.5 + 127e-5
