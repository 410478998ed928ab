"""`/tokenize`, `/detokenize` and `/tokenizer_info`, in vLLM's shapes."""

import json
from typing import Any

import pytest
from exposition import metric_sum
from flask.testing import FlaskClient

from model.tokenizer import BOS_ID, Tokenizer

pytest_plugins = ["service_fixtures"]


def post(client: FlaskClient, route: str, **fields: object) -> Any:
    return client.post(route, data=json.dumps(fields))


def test_ids_are_those_that_the_model_reads(client: FlaskClient, tokenizer: Tokenizer) -> None:
    text = "caf\u00e9 \u2014 \u6708"
    answer = post(client, "/tokenize", prompt=text).json
    ids = tokenizer.encode_prompt(text).ids
    assert answer == {"count": len(ids), "max_model_len": 1000, "tokens": ids, "token_strs": None}
    bare = post(client, "/tokenize", prompt=text, add_special_tokens=False).json
    assert bare["tokens"] == ids[1:]
    shown = post(client, "/tokenize", prompt=text, return_token_strs=True).json["token_strs"]
    assert shown == ["<s>", *"cafe -- ", "<unk>"]


def test_the_special_token_by_itself_is_its_id(client: FlaskClient) -> None:
    info: Any = client.get("/tokenizer_info").json
    for name in ("bos_token", "eos_token"):
        fields = {"prompt": info[name], "add_special_tokens": False}
        assert post(client, "/tokenize", **fields).json["tokens"] == [BOS_ID]
    assert BOS_ID not in post(client, "/tokenize", prompt="a<s>", add_special_tokens=False).json


def test_a_text_comes_back(client: FlaskClient) -> None:
    text = "The moon,\n\nthe sea"
    ids = post(client, "/tokenize", prompt=text).json["tokens"]
    assert post(client, "/detokenize", tokens=ids).json == {"prompt": text}
    assert post(client, "/detokenize", tokens=[]).json == {"prompt": ""}


def test_the_info_is_of_the_default_model(client: FlaskClient, tokenizer: Tokenizer) -> None:
    info: Any = client.get("/tokenizer_info").json
    assert (info["model"], info["kind"]) == ("tiny", "char")
    assert info["vocab_size"] == tokenizer.vocab_size


@pytest.mark.parametrize(
    ("route", "fields", "param", "status"),
    [
        ("/tokenize", {}, "prompt", 400),
        ("/tokenize", {"prompt": ["a"]}, "prompt", 400),
        ("/tokenize", {"prompt": "\ud800"}, "prompt", 400),
        ("/tokenize", {"prompt": "a", "add_special_tokens": 1}, "add_special_tokens", 400),
        ("/tokenize", {"prompt": "a", "model": "none"}, "model", 404),
        ("/tokenize", {"prompt": "a" * 1001}, "prompt", 413),
        ("/detokenize", {}, "tokens", 400),
        ("/detokenize", {"tokens": "abc"}, "tokens", 400),
        ("/detokenize", {"tokens": [-1]}, "tokens.0", 400),
        ("/detokenize", {"tokens": [1, True]}, "tokens.1", 400),
        ("/detokenize", {"tokens": [1.0]}, "tokens.0", 400),
        ("/detokenize", {"tokens": [10**6]}, "tokens", 400),
        ("/detokenize", {"tokens": [10**30]}, "tokens", 400),
        ("/detokenize", {"tokens": [1] * 1001}, "tokens", 413),
        ("/detokenize", {"tokens": [], "model": "none"}, "model", 404),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    client: FlaskClient, route: str, fields: dict[str, Any], param: str, status: int
) -> None:
    answer = post(client, route, **fields)
    assert (answer.status_code, answer.json["error"]["param"]) == (status, param)


def test_fields_of_other_servers_are_left_aside_and_told(client: FlaskClient) -> None:
    answer = post(client, "/tokenize", prompt="a", add_generation_prompt=True)
    assert answer.headers["X-Strophe-Ignored-Fields"] == "add_generation_prompt"
    assert answer.json["count"] == 2


def test_they_are_counted_by_their_route(client: FlaskClient) -> None:
    post(client, "/tokenize", prompt="a").close()
    series = 'strophe_http_requests_total{method="POST",route="/tokenize",status="200"}'
    assert metric_sum(client.get("/metrics").text, series) >= 1
