"""Generate responses: plain text, events and JSON of one text, through the application."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.server.service_process import Service

pytest_plugins = ["service_fixtures"]

PROMPT = "Shall I compare"
EVENTS = {"Accept": "text/event-stream"}
JSON = {"Accept": "application/json"}


def ask(client: FlaskClient, headers: dict[str, str] | None = None, **fields: object) -> Any:
    body = {"prompt": PROMPT, "seed": 5, "max_tokens": 40, **fields}
    return client.post("/v1/generate", data=json.dumps(body), headers=headers)


def events_of(response: Any) -> list[Any]:
    """The events' payloads, [DONE] excluded."""
    frames = response.get_data(as_text=True).replace(": ping\n", "").split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    return [json.loads(frame.partition("data: ")[2]) for frame in frames[:-2]]


def text_of(events: list[Any], index: int = 0) -> str:
    return "".join(event["text"] for event in events if event.get("index") == index)


def test_text_is_the_default_form(client: FlaskClient) -> None:
    response = ask(client)
    assert response.content_type == "text/plain; charset=utf-8"
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", "text/plain"),
        ("text/*", "text/plain"),
        ("application/json", "application/json"),
        ("text/event-stream", "text/event-stream"),
        ("text/plain;q=0.5, application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ('application/json;charset="UTF-8"', "application/json"),
        ("text/plain;charset=utf-8", "text/plain"),
        ("Text/Event-Stream ; Charset=UTF-8", "text/event-stream"),
        ("application/json;charset=utf-8;q=0.5, text/event-stream;q=0.6", "text/event-stream"),
        ("text/*;q=0.5, application/json;q=0.4", "text/plain"),
        ("text/*, text/plain;q=0", "text/event-stream"),
        ("*/*, text/*;q=0", "application/json"),
        ("*/*;q=0.1, text/plain;q=0", "text/event-stream"),
        ("text/plain, text/plain;charset=utf-8;q=0.1, application/json;q=0.5", "application/json"),
        ("*/*, application/json", "application/json"),
        ("application/json, text/plain, */*", "text/plain"),
        ("text/plain;charset=iso-8859-1, */*;q=0.1", "text/plain"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/plain"),
        ("text/plain;format=flowed, application/json;q=0.2", "application/json"),
        ("", "text/plain"),
    ],
)
def test_accept_chooses_the_form(client: FlaskClient, accept: str, form: str) -> None:
    response = ask(client, {"Accept": accept}, max_tokens=1)
    assert response.get_data()  # to its end, which frees its slot
    assert (response.status_code, response.mimetype) == (200, form)


@pytest.mark.parametrize(
    "accept",
    [
        "image/png",
        "text/html;q=0.9, image/*",
        "application/json;q=0",
        "*/*;q=0",
        "text/*;q=0, application/json;q=0.0",
        "text/plain;charset=utf-16",
        "application/json;version=2",
        "*/json",
        "json",
    ],
)
def test_what_accept_does_not_name_is_not_sent(client: FlaskClient, accept: str) -> None:
    response = ask(client, {"Accept": accept})
    assert (response.status_code, response.json["error"]["code"]) == (406, "not_acceptable")
    assert "text/plain, text/event-stream, application/json" in response.json["error"]["message"]


@pytest.mark.parametrize("echo", [False, True])
def test_the_three_forms_hold_the_same_text(client: FlaskClient, echo: bool) -> None:
    plain = ask(client, echo=echo).get_data(as_text=True)
    whole = ask(client, JSON, echo=echo).json
    events = events_of(ask(client, EVENTS, echo=echo))
    assert plain == whole["choices"][0]["text"] == text_of(events)
    assert plain.startswith(PROMPT) is echo


def test_json_tells_everything(client: FlaskClient) -> None:
    whole = ask(client, JSON, stop=["q"], min_tokens=40, prompt="caf\u00e9 \u6f22").json
    assert (whole["model"], whole["seed"]) == ("tiny", 5)
    assert whole["prompt"] == {"folded": 1, "unknown": 1}
    assert set(whole["choices"][0]) == {"index", "text", "finish_reason", "stop_reason", "logprobs"}
    usage = whole["usage"]
    assert usage["prompt_tokens"] == 6
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_every_form_names_the_checkpoint_by_its_fingerprint(
    client: FlaskClient, service: Service
) -> None:
    fingerprint = service.registry.catalogue.find("tiny").fingerprint
    for accept in (None, EVENTS, JSON):
        assert ask(client, accept).headers["X-Strophe-Fingerprint"] == fingerprint
    assert ask(client, JSON).json["fingerprint"] == fingerprint
    assert client.get("/v1/models/tiny").get_json()["fingerprint"] == fingerprint


def test_events_begin_with_the_facts_and_end_with_the_usage(
    client: FlaskClient, service: Service
) -> None:
    response = ask(client, EVENTS)
    first, *pieces, usage = events_of(response)
    assert first == {
        "id": response.headers["X-Strophe-Id"],
        "model": "tiny",
        "fingerprint": service.registry.catalogue.find("tiny").fingerprint,
        "seed": 5,
        "prompt": {"folded": 0, "unknown": 0},
    }
    assert pieces[-1]["finish_reason"] == "length"
    assert (
        usage == {"usage": {"prompt_tokens": 15, "completion_tokens": 40, "total_tokens": 55}}
        or pieces[-1]["finish_reason"] == "stop"
    )


def test_each_of_n_texts_ends_once(client: FlaskClient) -> None:
    events = events_of(ask(client, EVENTS, n=2))
    assert sorted(event["index"] for event in events if "finish_reason" in event) == [0, 1]


def test_text_i_of_n_is_the_text_of_seed_plus_i(client: FlaskClient) -> None:
    texts = [choice["text"] for choice in ask(client, JSON, n=2, seed=2**63 - 1).json["choices"]]
    assert texts == [ask(client, seed=seed).get_data(as_text=True) for seed in (2**63 - 1, 0)]


def test_a_seed_that_was_drawn_is_told_and_gives_the_text_again(client: FlaskClient) -> None:
    first = ask(client, seed=None)
    again = ask(client, seed=int(first.headers["X-Strophe-Seed"]))
    assert first.get_data() == again.get_data()


def test_the_headers_tell_model_seed_and_id_and_forbid_buffering(client: FlaskClient) -> None:
    headers = ask(client).headers
    assert headers["X-Strophe-Model"] == "tiny"
    assert headers["X-Strophe-Seed"] == "5"
    assert headers["X-Request-Id"].startswith("req-")
    assert headers["X-Strophe-Id"].startswith("gen-")
    assert headers["X-Accel-Buffering"] == "no"
    assert headers["Cache-Control"] == "no-store"


def test_log_probabilities_come_one_a_token(client: FlaskClient) -> None:
    whole = ask(client, JSON, logprobs=3).json
    streamed = [
        entry
        for event in events_of(ask(client, EVENTS, logprobs=3))
        for entry in event.get("logprobs", [])
    ]
    assert whole["choices"][0]["logprobs"] == streamed
    assert len(streamed) == whole["usage"]["completion_tokens"]
    assert all(len(entry["top"]) == 3 for entry in streamed)


def test_asking_for_no_tokens_gives_the_echo_alone(client: FlaskClient) -> None:
    assert ask(client, max_tokens=0, echo=True).get_data(as_text=True) == PROMPT
    events = events_of(ask(client, EVENTS, max_tokens=0))
    assert events[1] == {"index": 0, "text": "", "finish_reason": "length", "stop_reason": None}


def test_null_means_left_out(client: FlaskClient) -> None:
    assert ask(client, temperature=None, stop=None, model=None).get_data() == ask(client).get_data()


def test_a_stop_may_be_one_string(client: FlaskClient) -> None:
    stop = ask(client, min_tokens=40).get_data(as_text=True)[10:12]
    whole = ask(client, JSON, stop=stop, min_tokens=40).json["choices"][0]
    assert (whole["finish_reason"], whole["stop_reason"]) == ("stop", stop)
    assert stop not in whole["text"]


def test_a_stream_that_is_left_frees_its_slot(client: FlaskClient, service: Service) -> None:
    body = json.dumps({"max_tokens": 50_000, "min_tokens": 50_000})
    response = client.post("/v1/generate", data=body, buffered=False)
    next(iter(response.response))
    assert service.engine.load.num_running == 1
    response.close()
    for _ in range(200):
        if service.engine.load.num_running == 0:
            break
        service.engine._thread.join(0.01)
    assert service.engine.load.num_running == 0
