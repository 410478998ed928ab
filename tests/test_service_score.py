"""`POST /v1/score`: what it tells, and that it agrees with everything else that tells it."""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from flask.testing import FlaskClient

from model.__main__ import main
from service.api.score import ScoreRequest
from service.api.submission import MAX_SCORED

if TYPE_CHECKING:
    from service_fixtures import Server

pytest_plugins = ["service_fixtures"]

TEXT = "Shall I compare thee\nto a summer's day?"
ENDLESS = {"max_tokens": 50_000, "min_tokens": 50_000, "seed": 1}


def ask(client: FlaskClient, text: str = TEXT, **fields: object) -> Any:
    return client.post("/v1/score", data=json.dumps({"text": text, **fields}))


def scored(client: FlaskClient, text: str = TEXT, **fields: object) -> dict[str, Any]:
    """The answer without its id."""
    response = ask(client, text, **fields)
    assert response.status_code == 200, response.text
    assert response.content_type == "application/json"
    answer: dict[str, Any] = response.json
    assert answer.pop("id").startswith("score-")
    return answer


def test_it_tells_the_whole_and_each_token(client: FlaskClient) -> None:
    answer = scored(client, logprobs=2)
    assert list(answer) == [
        "model",
        "text",
        "nats_per_character",
        "bits_per_character",
        "perplexity",
        "tokens",
    ]
    assert answer["model"] == "tiny"
    assert answer["text"] == {"characters": len(TEXT), "folded": 0, "unknown": 0}
    assert "".join(entry["token"] for entry in answer["tokens"]) == TEXT
    for entry in answer["tokens"]:
        assert set(entry) == {"token", "logprob", "top"}
        first, second = entry["top"]
        assert 0 > first["logprob"] >= second["logprob"]
        assert entry["logprob"] <= first["logprob"]


def test_the_tokens_add_up_to_the_whole(client: FlaskClient) -> None:
    answer = scored(client)
    nats = -sum(entry["logprob"] for entry in answer["tokens"]) / len(TEXT)
    assert answer["nats_per_character"] == pytest.approx(nats, rel=1e-12)
    assert answer["bits_per_character"] == pytest.approx(nats / math.log(2), rel=1e-12)
    assert answer["perplexity"] == pytest.approx(math.exp(nats), rel=1e-12)


def test_it_agrees_with_what_was_told_while_the_text_was_written(client: FlaskClient) -> None:
    body = {"prompt": "Shall I", "seed": 3, "max_tokens": 80, "min_tokens": 80, "logprobs": 4}
    response: Any = client.post(
        "/v1/generate", data=json.dumps(body), headers={"Accept": "application/json"}
    )
    written = response.json["choices"][0]
    tokens = scored(client, "Shall I" + written["text"], logprobs=4)["tokens"]
    assert tokens[len("Shall I") :] == written["logprobs"]


def test_it_agrees_with_the_command(
    client: FlaskClient,
    tiny_checkpoint: Path,
    tmp_path: Path,
    anthology: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = anthology[:900]
    (tmp_path / "text.txt").write_text(text, encoding="utf-8")
    assert main(["score", "--checkpoint", str(tiny_checkpoint), str(tmp_path / "text.txt")]) == 0
    bits, nats, *_ = (line.split()[0] for line in capsys.readouterr().out.splitlines())
    answer = scored(client, text)
    assert answer["bits_per_character"] == pytest.approx(float(bits), rel=1e-3)
    assert answer["nats_per_character"] == pytest.approx(float(nats), rel=1e-3)


def test_a_stream_beside_it_changes_no_byte(client: FlaskClient) -> None:
    alone = scored(client, logprobs=20)
    stream = client.post("/v1/generate", data=json.dumps(ENDLESS), buffered=False)
    chunks = iter(stream.iter_encoded())
    next(chunks)
    assert scored(client, logprobs=20) == alone
    assert next(chunks)
    stream.close()


def test_characters_are_folded_as_those_of_a_prompt_are(client: FlaskClient) -> None:
    """The figures are by character of the text that was scored: a dash is two hyphens here."""
    answer = scored(client, "caf\u00e9 \u2014 \u6f22\r\n")
    assert answer["text"] == {"characters": 10, "folded": 2, "unknown": 1}
    tokens = [entry["token"] for entry in answer["tokens"]]
    assert tokens == [*"cafe -- ", "<unk>", "\n"]
    assert len(tokens) == answer["text"]["characters"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "text"),
        ({"text": None}, "text"),
        ({"text": ""}, "text"),
        ({"text": 5}, "text"),
        ({"text": ["a"]}, "text"),
        ({"text": "\ud800"}, "text"),
        ({"text": "a", "logprobs": -1}, "logprobs"),
        ({"text": "a", "logprobs": 21}, "logprobs"),
        ({"text": "a", "logprobs": True}, "logprobs"),
        ({"text": "a", "logprobs": 1.0}, "logprobs"),
        ({"text": "a", "model": 1}, "model"),
        ({"text": "a", "prompt": "b"}, "prompt"),
    ],
)
def test_what_it_cannot_take_is_refused_by_name(
    client: FlaskClient, body: dict[str, object], param: str
) -> None:
    response = client.post("/v1/score", data=json.dumps(body))
    assert response.status_code == 400
    assert response.get_json()["error"]["param"] == param


def test_an_unknown_field_is_answered_with_those_there_are(client: FlaskClient) -> None:
    message = ask(client, prompt="a").json["error"]["message"]
    assert all(name in message for name in ScoreRequest.model_fields)


def test_an_unknown_model_and_a_text_too_long_have_their_own_status(client: FlaskClient) -> None:
    assert ask(client, model="gpt").status_code == 404
    response = ask(client, "a" * 1001)
    assert (response.status_code, response.json["error"]["param"]) == (413, "text")


# As a real process


@pytest.fixture(scope="module")
def server(start_server: Callable[..., "Server"]) -> "Server":
    return start_server(
        STROPHE_MAX_STREAMS="1",
        STROPHE_MAX_QUEUE="0",
        STROPHE_MAX_PROMPT="1000000",
        STROPHE_MAX_PROMPT_SECONDS="86400",
    )


@pytest.fixture
def idle(server: "Server") -> Iterator["Server"]:
    yield server
    server.wait_for_metric("strophe_slots_used", 0)


def test_a_client_that_leaves_frees_the_slot(idle: "Server") -> None:
    for _ in range(2):  # the second would be refused if the first still held its slot
        text = {"text": "a" * (MAX_SCORED - 1)}
        idle.ask_and_leave("/v1/score", text, once="strophe_slots_used")
        idle.wait_until_freed("strophe_slots_used")


def test_more_than_may_be_scored_is_refused_with_what_may(idle: "Server") -> None:
    for length, most in ((MAX_SCORED // 2, "at most 1"), (MAX_SCORED + 1, f"at most {MAX_SCORED}")):
        body = {"text": "a" * length, "logprobs": 2}
        response = requests.post(idle.url + "/v1/score", json=body, timeout=10)
        assert response.status_code == 400
        error = response.json()["error"]
        assert error["param"] == "logprobs"
        assert most in error["message"]


def test_a_full_service_refuses_and_a_score_is_whole(idle: "Server") -> None:
    with requests.post(idle.url + "/v1/generate", json=ENDLESS, stream=True, timeout=10) as stream:
        chunks = stream.iter_content(10)  # an iterator that nobody keeps hangs up as it goes
        next(chunks)
        refused = requests.post(idle.url + "/v1/score", json={"text": TEXT}, timeout=10)
        assert refused.status_code == 503
        assert refused.headers["Retry-After"] == "1"
    idle.wait_for_metric("strophe_slots_used", 0)
    response = requests.post(idle.url + "/v1/score", json={"text": TEXT}, timeout=10)
    assert len(response.json()["tokens"]) == len(TEXT)
