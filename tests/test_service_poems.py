"""`POST /v1/poems`: poems that are the reference's, in three forms, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from exposition import metric_sum
from flask.testing import FlaskClient
from waiting import wait_until

from model import checkpoint as checkpoints
from model.decoding.decoder import decoder_of
from service.api.streaming import StreamCutError
from service.server.service_process import Service
from verse.composer.voice import voice_of
from verse.composing import write_poem
from verse.poem import Poem
from verse.poem_request import PoemRequest

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]

JSON, EVENTS = {"Accept": "application/json"}, {"Accept": "text/event-stream"}
HAIKU = {"form": "haiku", "title": "The sea", "seed": 7}
RHYMED = {
    "spec": {"stanzas": [[{"text": "the night", "rhyme": "A"}, {"syllables": 4, "rhyme": "A"}]]},
    "seed": 3,
    "alternatives": 2,
}
# No line of two syllables has three words.
LOST_LINE = {"syllables": 2}
LOST_WORDS = {"keywords": ["love", "day", "light"], "seed": 1, "particles": 4}
LOST: dict[str, Any] = {
    "spec": {"stanzas": [[{"text": "the night"}, LOST_LINE]]},
    **LOST_WORDS,
}
ENDLESS = {"max_tokens": 50_000, "min_tokens": 50_000, "seed": 1}


@pytest.fixture(scope="module")
def reference(worded_checkpoint: Path) -> Callable[..., Poem]:
    """Poem of the same checkpoint, written alone."""
    loaded = checkpoints.load(worded_checkpoint)
    decoder = decoder_of(loaded.network)
    voice = voice_of(loaded, decoder)
    return lambda **fields: write_poem(decoder, voice, PoemRequest.checked(**fields))


def ask(client: FlaskClient, fields: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    return client.post("/v1/poems", data=json.dumps(fields), headers=headers)


def payloads(stream: str) -> list[Any]:
    events = [line.removeprefix("data: ") for line in stream.split("\n") if line[:5] == "data:"]
    return [json.loads(event) for event in events if event != "[DONE]"]


# Long enough for whoever wants to leave: 120 lines by many particles.
LONG = {"spec": {"stanzas": [[{"characters": [30, 60]}] * 120]}, "particles": 128, "seed": 1}


def lines_written(client: FlaskClient) -> float:
    return metric_sum(client.get("/metrics").text, "strophe_poem_lines_total")


@pytest.mark.parametrize("fields", [HAIKU, RHYMED])
def test_the_three_forms_tell_one_poem_which_is_the_references(
    client: FlaskClient, reference: Callable[..., Poem], fields: dict[str, Any]
) -> None:
    poem = reference(**fields)
    plain, whole = ask(client, fields), ask(client, fields, JSON).json
    opening, *lines, ending = payloads(ask(client, fields, EVENTS).text)
    assert plain.text == poem.text == whole["text"]
    assert plain.headers["X-Strophe-Seed"] == str(fields["seed"])
    assert [line["text"] for line in lines] == [line.text for line in poem.lines]
    assert [line["alternatives"] for line in lines] == [list(e.alternatives) for e in poem.lines]
    assert lines == whole["lines"]
    assert ending["report"] == whole["report"]
    assert ending["seed"] == opening["seed"] == whole["seed"] == fields["seed"]
    assert whole["report"]["ok"]
    assert all(check["ok"] for line in lines for check in line["checks"] if check["is_asked"])


@pytest.mark.parametrize(("route", "neighbour"), [("/v1/generate", ENDLESS), ("/v1/poems", LONG)])
def test_a_text_or_a_poem_beside_it_changes_no_byte(
    client: FlaskClient, reference: Callable[..., Poem], route: str, neighbour: dict[str, Any]
) -> None:
    beside = client.post(route, data=json.dumps(neighbour), buffered=False)
    chunks = iter(beside.iter_encoded())
    next(chunks)
    assert ask(client, HAIKU).text == reference(**HAIKU).text
    assert next(chunks)
    beside.close()


def test_a_poem_without_a_seed_draws_one_that_gives_it_again(client: FlaskClient) -> None:
    first = ask(client, {"form": "haiku"})
    again = ask(client, {"form": "haiku", "seed": int(first.headers["X-Strophe-Seed"])})
    assert again.text == first.text


def test_stanzas_are_parted_by_an_empty_line(
    client: FlaskClient, reference: Callable[..., Poem]
) -> None:
    fields = {"spec": {"stanzas": [[{"characters": 9}], [{"text": "the sea"}]]}, "seed": 1}
    text = ask(client, fields).text
    assert text == reference(**fields).text
    assert text.endswith("\n\nthe sea\n")
    assert ask(client, fields, JSON).json["text"] == text


def test_a_strict_form_that_cannot_be_kept_is_refused_with_what_there_is(
    client: FlaskClient,
) -> None:
    response = ask(client, LOST, JSON)
    assert response.status_code == 422
    error = response.json["error"]
    assert error["message"].startswith("line 2: no line keeps ")
    assert error == {
        "message": error["message"],
        "type": "invalid_request_error",
        "param": "spec",
        "code": "form_not_kept",
        "partial": {"text": "the night\n", "seed": 1},
    }
    opening, line, last = payloads(ask(client, LOST, EVENTS).text)
    assert (opening["num_lines"], line["text"], last) == (2, "the night", {"error": error})


def test_plain_text_tells_a_form_that_cannot_be_kept_by_its_status_or_has_no_end(
    client: FlaskClient,
) -> None:
    first_line = {"spec": {"stanzas": [[LOST_LINE]]}, **LOST_WORDS}
    refused = ask(client, first_line)
    assert (refused.status_code, refused.json["error"]["code"]) == (422, "form_not_kept")
    with pytest.raises(StreamCutError):
        _ = ask(client, LOST).text


@pytest.mark.parametrize(
    ("fields", "param", "status"),
    [
        ({}, None, 400),
        ({"form": "haiku", "spec": {"stanzas": [[{}]]}}, None, 400),
        ({"form": "sonata"}, "form", 400),
        ({"form": "haiku", "word": "x"}, "word", 400),
        ({"form": "haiku", "particles": 1000}, "particles", 400),
        ({"form": "haiku", "verses": 2}, "verses", 400),
        ({"form": "haiku", "title": "\ud800"}, "title", 400),
        ({"spec": {"stanzas": [[{"metre": "zz"}]]}}, "spec.stanzas.0.0", 400),
        ({"form": "haiku", "keywords": ["xyzzy"]}, "keywords", 422),
        ({"form": "haiku", "model": "none"}, "model", 404),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    client: FlaskClient, fields: dict[str, Any], param: str | None, status: int
) -> None:
    response = ask(client, fields)
    assert response.status_code == status, response.text
    assert response.json["error"]["param"] == param


def test_it_is_counted_as_any_request(client: FlaskClient, service: Service) -> None:
    before = lines_written(client)
    assert ask(client, HAIKU).text.count("\n") == 3
    wait_until(lambda: service.engine.load.num_used == 0)
    assert lines_written(client) == before + 3


def test_a_poem_that_is_cancelled_by_its_id_ends_where_it_is(
    client: FlaskClient, service: Service
) -> None:
    response = client.post("/v1/poems", data=json.dumps(LONG), headers=EVENTS, buffered=False)
    chunks = response.iter_encoded()
    opening = json.loads(next(chunks).decode().partition("data: ")[2])
    first = payloads(next(chunks).decode())[0]
    assert client.post(f"/v1/generate/{opening['id']}/cancel").status_code == 200
    *lines, ending = payloads(b"".join(chunks).decode())
    assert first["number"] + len(lines) < opening["num_lines"] == 120
    assert ending["finish_reason"] == "cancelled"
    assert not ending["report"]["ok"]
    wait_until(lambda: service.engine.load.num_used == 0)


@pytest.fixture(scope="module")
def server(start_server: "StartServer", worded_checkpoint: Path) -> "Server":
    """A real server that composes."""
    return start_server(STROPHE_CHECKPOINTS=str(worded_checkpoint.parent))


@pytest.mark.parametrize("accept", [JSON["Accept"], EVENTS["Accept"]])
def test_a_client_that_has_gone_frees_its_poem(
    server: "Server", idle: "Server", accept: str
) -> None:
    idle.ask_and_leave("/v1/poems", LONG, accept=accept, once="strophe_slots_used")
    server.wait_until_freed("strophe_slots_used")
