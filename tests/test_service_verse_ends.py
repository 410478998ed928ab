"""Ends of verse and avoided words over HTTP: every route and form tells the same."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

pytest_plugins = ["service_fixtures"]

FIELDS: dict[str, Any] = {"prompt": "Shall I ", "seed": 5, "max_tokens": 90, "min_tokens": 90}
COMMON = ["the", "and", "a*", "i"]
KINDS: list[dict[str, Any]] = [
    {"max_lines": 1},
    {"max_stanzas": 1},
    {"soft_end": 5},
    {"avoid": COMMON},
    {"avoid": COMMON, "max_lines": 2, "soft_end": 60, "stop": ["zzz", "ee"]},
]


def asked(client: FlaskClient, path: str, **fields: object) -> Any:
    response: Any = client.post(path, data=json.dumps({"temperature": 1, **FIELDS, **fields}))
    return response


def choices_of(client: FlaskClient, **fields: object) -> list[Any]:
    body = json.dumps({"temperature": 1, **FIELDS, **fields})
    response: Any = client.post("/v1/generate", data=body, headers={"Accept": "application/json"})
    assert response.status_code == 200, response.json
    return list(response.json["choices"])


def has_avoided(text: str) -> bool:
    return bool(re.search(r"(?<![\w'])(the|and|i)(?!'?\w)|(?<![\w'])a", text, re.IGNORECASE))


@pytest.mark.parametrize("fields", KINDS, ids=str)
def test_each_form_and_route_gives_the_same_text(
    client: FlaskClient, fields: dict[str, Any]
) -> None:
    (whole,) = choices_of(client, **fields)
    assert asked(client, "/v1/generate", **fields).get_data(as_text=True) == whole["text"]
    completed = asked(client, "/v1/completions", **fields).json["choices"][0]
    for name in ("text", "finish_reason", "stop_reason"):
        assert completed[name] == whole[name]
    messages = [{"role": "user", "content": FIELDS["prompt"]}]
    chat = asked(client, "/v1/chat/completions", messages=messages, **fields).json["choices"][0]
    assert chat["message"]["content"] == whole["text"]
    streamed = asked(client, "/v1/completions", stream=True, **fields).get_data(as_text=True)
    frames = [frame for frame in streamed.split("\n\n") if "choices" in frame]
    chunks = [json.loads(frame.partition("data: ")[2])["choices"][0] for frame in frames]
    assert "".join(chunk["text"] for chunk in chunks) == whole["text"]
    assert chunks[-1]["stop_reason"] == whole["stop_reason"]


def test_the_end_is_told_by_the_fields_name(client: FlaskClient) -> None:
    for name, value in (("max_lines", 1), ("soft_end", 0)):
        (whole,) = choices_of(client, **{name: value}, logit_bias={"\n": 4})
        assert (whole["finish_reason"], whole["stop_reason"]) == ("stop", name)
        assert not whole["text"].endswith("\n")


def test_each_of_several_texts_is_what_it_is_alone(client: FlaskClient) -> None:
    fields = {"avoid": COMMON, "max_stanzas": 2, "logprobs": 1}
    for index, choice in enumerate(choices_of(client, n=2, **fields)):
        (alone,) = choices_of(client, seed=5 + index, prompt=FIELDS["prompt"], **fields)
        assert choice["text"] == alone["text"]
        assert choice["logprobs"] == alone["logprobs"]
        assert not has_avoided(choice["text"])


def test_log_probabilities_and_the_echo_stand_beside_the_text(client: FlaskClient) -> None:
    fields = {"avoid": COMMON, "max_lines": 2, "logprobs": 0, "echo": True}
    choice = asked(client, "/v1/completions", **fields).json["choices"][0]
    assert choice["text"].startswith(FIELDS["prompt"])
    assert "".join(choice["logprobs"]["tokens"]).removesuffix("<s>") == choice["text"]
    assert not has_avoided(choice["text"].removeprefix(FIELDS["prompt"]))
    best = asked(client, "/v1/completions", avoid=COMMON, best_of=2, n=1).json["choices"]
    assert not has_avoided(best[0]["text"])


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"max_lines": 0}, "max_lines"),
        ({"max_stanzas": True}, "max_stanzas"),
        ({"soft_end": -1}, "soft_end"),
        ({"avoid": "love"}, "avoid"),
        ({"avoid": ["!"]}, "avoid"),
        ({"avoid": ["x"] * 65}, "avoid"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    client: FlaskClient, fields: dict[str, Any], param: str
) -> None:
    for path in ("/v1/generate", "/v1/completions"):
        response = asked(client, path, **fields)
        assert response.status_code == 400
        assert response.json["error"]["param"].split(".")[0] == param
