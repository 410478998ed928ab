"""`/v1/chat/completions`: the last message of the user is completed, in the shape of a chat."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from openai_answers import chunks_of, whole_of

from model.tokenizer import Tokenizer

pytest_plugins = ["service_fixtures"]

PROMPT = "Shall I compare"
MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": "You are a poet."},
    {"role": "user", "content": "Thou"},
    {"role": "assistant", "content": "art"},
    {"role": "user", "content": PROMPT},
]


def ask(client: FlaskClient, **fields: object) -> Any:
    body = {"messages": MESSAGES, "seed": 5, "max_tokens": 30, "min_tokens": 30, **fields}
    return client.post("/v1/chat/completions", data=json.dumps(body))


def whole(client: FlaskClient, **fields: object) -> Any:
    return whole_of(ask(client, **fields))


def chunks(client: FlaskClient, **fields: object) -> list[Any]:
    return chunks_of(ask(client, stream=True, **fields))


def completed(client: FlaskClient, **fields: object) -> Any:
    """The choices of a completion of the same prompt."""
    body = {"prompt": PROMPT, "seed": 5, "max_tokens": 30, "min_tokens": 30, **fields}
    answer: Any = client.post("/v1/completions", data=json.dumps(body)).json
    return answer["choices"]


def refused(client: FlaskClient, status: int = 400, **fields: Any) -> Any:
    response = ask(client, **fields)
    assert response.status_code == status, response.text
    return response.json["error"]


def test_the_answer_has_the_shape_of_openais(client: FlaskClient) -> None:
    answer = whole(client)
    assert answer["id"].startswith("chatcmpl-")
    assert (answer["object"], answer["model"]) == ("chat.completion", "tiny")
    (choice,) = answer["choices"]
    assert set(choice) == {"index", "message", "logprobs", "finish_reason", "stop_reason"}
    assert set(choice["message"]) == {"role", "content", "refusal"}
    assert (choice["message"]["role"], choice["finish_reason"]) == ("assistant", "length")
    assert answer["usage"] == {
        "prompt_tokens": len(PROMPT),
        "completion_tokens": 30,
        "total_tokens": len(PROMPT) + 30,
    }


def test_the_last_message_of_the_user_is_the_prompt_and_the_answer_says_so(
    client: FlaskClient,
) -> None:
    answer = whole(client)
    assert answer["choices"][0]["message"]["content"] == completed(client)[0]["text"]
    assert answer["prompt"] == {"message": 3, "folded": 0, "unknown": 0}
    more = [*MESSAGES, {"role": "assistant", "content": None, "tool_calls": []}]
    again = whole(client, messages=more)
    assert (again["choices"], again["prompt"]) == (answer["choices"], answer["prompt"])


def test_content_may_come_in_parts_of_text(client: FlaskClient) -> None:
    parts = [{"type": "text", "text": PROMPT[:5]}, {"type": "text", "text": PROMPT[5:]}]
    messages = [{"role": "user", "content": parts}]
    assert whole(client, messages=messages)["choices"] == whole(client)["choices"]
    empty = whole(client, messages=[{"role": "user", "content": []}])
    assert empty["usage"]["prompt_tokens"] == 0


def test_a_stream_opens_with_the_role_and_ends_with_the_reason(client: FlaskClient) -> None:
    told = chunks(client)
    assert {(chunk["object"], len(chunk["choices"])) for chunk in told} == {
        ("chat.completion.chunk", 1)
    }
    assert all("usage" not in chunk for chunk in told)
    choices = [chunk["choices"][0] for chunk in told]
    assert choices[0]["delta"] == {"role": "assistant", "content": ""}
    assert all(set(choice["delta"]) == {"content"} for choice in choices[1:-1])
    assert choices[-1]["delta"] == {}
    assert [c["finish_reason"] for c in choices] == [None] * (len(choices) - 1) + ["length"]
    text = "".join(choice["delta"].get("content", "") for choice in choices)
    assert text == whole(client)["choices"][0]["message"]["content"]


def test_the_usage_of_a_stream_comes_on_request_in_a_chunk_of_its_own(client: FlaskClient) -> None:
    *told, last = chunks(client, stream_options={"include_usage": True})
    assert all(chunk["usage"] is None for chunk in told)
    assert last["choices"] == []
    assert last["usage"] == whole(client)["usage"]


def test_several_texts_are_those_of_the_seeds_behind(client: FlaskClient) -> None:
    texts = [choice["message"]["content"] for choice in whole(client, n=2)["choices"]]
    assert texts == [completed(client, seed=seed)[0]["text"] for seed in (5, 6)]
    streamed = ["", ""]
    for chunk in chunks(client, n=2):
        (choice,) = chunk["choices"]
        streamed[choice["index"]] += choice["delta"].get("content", "")
    assert streamed == texts


@pytest.mark.parametrize("more", [{}, {"logit_bias": {"1": 100}, "min_tokens": 5}])
def test_log_probabilities_come_in_the_shape_of_chats_and_are_those_of_completions(
    client: FlaskClient, tokenizer: Tokenizer, more: dict[str, Any]
) -> None:
    told = whole(client, logprobs=True, top_logprobs=2, **more)["choices"][0]["logprobs"]
    same = completed(client, logprobs=2, **more)[0]["logprobs"]
    entries = told["content"]
    assert [entry["token"] for entry in entries] == same["tokens"]
    assert [entry["logprob"] for entry in entries] == same["token_logprobs"]
    for entry, top in zip(entries, same["top_logprobs"], strict=True):
        assert len(entry["top_logprobs"]) == 2
        for each in (entry, *entry["top_logprobs"]):
            assert top[each["token"]] == each["logprob"]
            is_end = each["token"] == "<s>"
            assert each["bytes"] == (None if is_end else list(each["token"].encode()))
    streamed = [
        entry
        for chunk in chunks(client, logprobs=True, top_logprobs=2, **more)
        if (found := chunk["choices"][0]["logprobs"]) is not None
        for entry in found["content"]
    ]
    assert streamed == entries
    bare = whole(client, logprobs=True, **more)["choices"][0]["logprobs"]["content"]
    assert [entry["top_logprobs"] for entry in bare] == [[]] * len(entries)


def test_what_a_stop_string_cuts_off_is_not_told(client: FlaskClient) -> None:
    text = whole(client)["choices"][0]["message"]["content"]
    fields = {"stop": text[10:13], "logprobs": True}
    choice = whole(client, **fields)["choices"][0]
    cut = text[: text.index(text[10:13])]
    assert (choice["message"]["content"], choice["finish_reason"]) == (cut, "stop")
    assert choice["stop_reason"] == text[10:13]
    assert "".join(each["token"] for each in choice["logprobs"]["content"]) == cut


def test_the_length_may_be_called_either_way_and_has_a_default(client: FlaskClient) -> None:
    newer = whole(client, max_tokens=None, max_completion_tokens=30)
    assert newer["choices"] == whole(client)["choices"]
    for unset in (None, -1):
        fields = {"max_tokens": unset, "max_completion_tokens": unset, "min_tokens": 1024}
        assert whole(client, **fields)["usage"]["completion_tokens"] == 1024
    error = refused(client, max_tokens=None, max_completion_tokens=50_001)
    assert error["param"] == "max_completion_tokens"


def test_sampling_fields_are_taken(client: FlaskClient) -> None:
    fields = {"top_k": 3, "presence_penalty": 0.5, "temperature": 0.7, "top_p": 0.9}
    text = whole(client, **fields)["choices"][0]["message"]["content"]
    assert text == completed(client, **fields)[0]["text"]


def test_fields_of_other_servers_are_left_aside_and_told(client: FlaskClient) -> None:
    response = ask(client, store=True, metadata={}, reasoning_effort="low", user="me")
    assert response.headers["X-Strophe-Ignored-Fields"] == "store,metadata,reasoning_effort"
    nothing = {"tools": [], "tool_choice": "none", "functions": [], "modalities": ["text"]}
    assert whole(client, response_format={"type": "text"}, **nothing)["choices"]


TOOL = {"type": "function", "function": {"name": "f"}}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}
AUDIO = {"type": "input_audio", "input_audio": {}}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [TOOL]}, "tools"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"tool_choice": {"type": "function"}}, "tool_choice"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"function_call": {"name": "f"}}, "function_call"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.type"),
        ({"response_format": 5}, "response_format"),
        ({"modalities": ["text", "audio"]}, "modalities.1"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Thou"}, "messages"),
        ({"messages": [5]}, "messages.0"),
        ({"messages": [{"content": "a"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": None}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": ["a"]}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [AUDIO]}, *MESSAGES]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "messages.0.content"),
        ({"messages": [{"role": "system", "content": "a"}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "a"}, *MESSAGES]}, "messages.0.role"),
        ({"logprobs": 2}, "logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"max_completion_tokens": 5}, "max_completion_tokens"),
        ({"n": 3}, "n"),
        ({"logit_bias": {"e": 1}}, "logit_bias"),
    ],
)
def test_what_a_verse_model_cannot_is_refused_by_name(
    client: FlaskClient, fields: dict[str, Any], param: str
) -> None:
    error = refused(client, **fields)
    assert (error["param"], error["code"]) == (param, "invalid_value")


def test_a_refused_part_is_named(client: FlaskClient) -> None:
    error = refused(client, messages=[{"role": "user", "content": [IMAGE]}])
    assert "'image_url'" in error["message"]


def test_other_errors_are_those_of_completions(client: FlaskClient) -> None:
    long = [{"role": "user", "content": "a" * 1001}]
    assert refused(client, 413, messages=long)["param"] == "messages"
    assert refused(client, 404, model="gpt-4o")["code"] == "model_not_found"
    held = refused(client, max_tokens=50_000, logprobs=True, top_logprobs=20)
    assert held["param"] == "max_tokens"
