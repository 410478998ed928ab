"""`/v1/completions`: OpenAI's contract, field by field, through the application."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from openai_answers import chunks_of, whole_of

from model.tokenizer import BOS_ID, Tokenizer

pytest_plugins = ["service_fixtures"]

PROMPT = "Shall I compare"


def ask(client: FlaskClient, **fields: object) -> Any:
    body = {"prompt": PROMPT, "seed": 5, "max_tokens": 30, **fields}
    return client.post("/v1/completions", data=json.dumps(body))


def whole(client: FlaskClient, **fields: object) -> Any:
    return whole_of(ask(client, **fields))


def chunks(client: FlaskClient, **fields: object) -> list[Any]:
    return chunks_of(ask(client, stream=True, **fields))


def generated(client: FlaskClient, **fields: object) -> str:
    """What /v1/generate writes for the same."""
    body = {"prompt": PROMPT, "seed": 5, "max_tokens": 30, "temperature": 1.0, **fields}
    return client.post("/v1/generate", data=json.dumps(body)).text


def refused(client: FlaskClient, status: int = 400, **fields: Any) -> Any:
    response = ask(client, **fields)
    assert response.status_code == status, response.text
    assert set(response.json["error"]) == {"message", "type", "param", "code"}
    return response.json["error"]


def test_the_answer_has_the_shape_of_openais(client: FlaskClient) -> None:
    answer = whole(client)
    names = {"id", "object", "created", "model", "system_fingerprint", "choices", "usage"}
    assert set(answer) == names
    assert (answer["object"], answer["model"]) == ("text_completion", "tiny")
    assert answer["id"].startswith("cmpl-")
    (choice,) = answer["choices"]
    assert set(choice) == {"index", "text", "logprobs", "finish_reason", "stop_reason"}
    usage = answer["usage"]
    assert usage["prompt_tokens"] == len(PROMPT)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_the_text_is_that_of_generate(client: FlaskClient) -> None:
    assert whole(client)["choices"][0]["text"] == generated(client)


def test_the_defaults_are_openais(client: FlaskClient) -> None:
    response: Any = client.post("/v1/completions", data='{"seed": 3, "min_tokens": 16}')
    assert response.json["usage"] == {
        "prompt_tokens": 0,
        "completion_tokens": 16,
        "total_tokens": 16,
    }
    same = generated(client, prompt="", seed=3, max_tokens=16, min_tokens=16)
    assert response.json["choices"][0]["text"] == same


def test_a_stream_holds_the_same_text_and_ends_once(client: FlaskClient) -> None:
    told = chunks(client)
    assert "".join(chunk["choices"][0]["text"] for chunk in told) == generated(client)
    assert all("usage" not in chunk for chunk in told)
    assert len({chunk["id"] for chunk in told}) == 1
    reasons = [chunk["choices"][0]["finish_reason"] for chunk in told]
    assert reasons[:-1] == [None] * (len(told) - 1)
    assert reasons[-1] in ("length", "stop")


def test_the_usage_comes_on_request_alone_and_in_a_chunk_of_its_own(client: FlaskClient) -> None:
    *told, last = chunks(client, stream_options={"include_usage": True})
    assert all(chunk["usage"] is None for chunk in told)
    assert last["choices"] == []
    assert last["usage"] == whole(client)["usage"]


@pytest.mark.parametrize(("prompts", "n"), [(["Thou", "", "The moon"], 1), (["", "Thou"], 2)])
def test_prompts_among_others_get_what_they_get_alone(
    client: FlaskClient, prompts: list[str], n: int
) -> None:
    choices = whole(client, prompt=prompts, n=n)["choices"]
    assert [choice["index"] for choice in choices] == list(range(len(prompts) * n))
    alone = [
        generated(client, prompt=prompt, seed=5 + index) for prompt in prompts for index in range(n)
    ]
    assert [choice["text"] for choice in choices] == alone


def test_a_stream_of_several_prompts_tells_each_choice_apart(client: FlaskClient) -> None:
    told = chunks(client, prompt=["Thou", "The"], n=2)
    texts = ["" for _ in range(4)]
    for chunk in told:
        (choice,) = chunk["choices"]
        texts[choice["index"]] += choice["text"]
    choices = whole(client, prompt=["Thou", "The"], n=2)["choices"]
    assert texts == [choice["text"] for choice in choices]


def test_prompts_may_be_ids(client: FlaskClient, tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode(PROMPT)
    by_text = whole(client, echo=True)["choices"][0]["text"]
    assert whole(client, prompt=ids, echo=True)["choices"][0]["text"] == by_text
    texts = [each["text"] for each in whole(client, prompt=[ids, ids], echo=True)["choices"]]
    assert texts == [by_text, by_text]


@pytest.mark.parametrize(
    "prompt",
    [
        *(5, True, [], {}, [True], [1.0], [[1.0]], ["a", 1], [["a"]], ["\ud800"]),
        *([-1], [10**9], [10**30], [[0, 99_999]], ["a"] * 65, [None]),
    ],
)
def test_what_is_no_prompt_is_refused(client: FlaskClient, prompt: object) -> None:
    assert refused(client, prompt=prompt)["param"] == "prompt"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"suffix": "the end"}, "suffix"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_obfuscation": True}}, "stream_options"),
        ({"stream": True, "stream_options": 3}, "stream_options"),
        ({"best_of": 1, "n": 2}, "best_of"),
        ({"best_of": 2, "stream": True}, "best_of"),
        ({"best_of": 0}, "best_of"),
        ({"n": 0}, "n"),
        ({"n": 3}, "n"),
        ({"n": 17}, "n"),
        ({"logprobs": 21}, "logprobs"),
        ({"logprobs": True}, "logprobs"),
        ({"logprobs": "2"}, "logprobs"),
        ({"stream": "yes"}, "stream"),
        ({"logit_bias": {"e": 1}}, "logit_bias"),
        ({"logit_bias": {"0": 1}}, "logit_bias"),
        ({"logit_bias": {"99999": 1}}, "logit_bias"),
        ({"logit_bias": {"-1": 1}}, "logit_bias"),
        ({"logit_bias": {"\u0663": 1}}, "logit_bias"),
        ({"logit_bias": {"5": 101}}, "logit_bias"),
        ({"logit_bias": [5]}, "logit_bias"),
        ({"echo": 1}, "echo"),
        ({"user": 5}, "user"),
        ({"max_tokens": -2}, "max_tokens"),
        ({"max_tokens": -1.0}, "max_tokens"),
        ({"min_tokens": -1}, "min_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"seed": -2}, "seed"),
        ({"seed": True}, "seed"),
    ],
)
def test_bad_fields_are_refused_by_name(
    client: FlaskClient, fields: dict[str, Any], param: str
) -> None:
    assert refused(client, **fields)["param"].split(".")[0] == param


def test_a_model_that_is_not_there_is_openais_404(client: FlaskClient) -> None:
    error = refused(client, status=404, model="gpt-3.5")
    assert (error["param"], error["code"]) == ("model", "model_not_found")


def test_fields_of_other_servers_are_left_aside_and_told(client: FlaskClient) -> None:
    response = ask(client, mirostat=2, cache_prompt=True, suffix="", user="me")
    assert response.headers["X-Strophe-Ignored-Fields"] == "mirostat,cache_prompt"
    assert response.json["choices"] == whole(client)["choices"]
    odd = ask(client, **{"a\r\nX-Evil: 1": 1, "\ud800": 1})
    assert odd.status_code == 200
    assert "X-Evil" not in odd.headers


def test_null_means_left_out(client: FlaskClient) -> None:
    nothing = dict.fromkeys(
        ("best_of", "echo", "logprobs", "n", "stop", "stream", "suffix", "temperature", "user")
    )
    assert whole(client, **nothing)["choices"] == whole(client)["choices"]


def test_minus_one_means_left_out_where_other_clients_send_it_so(client: FlaskClient) -> None:
    fields = {"seed": -1, "max_tokens": -1, "top_k": -1, "min_tokens": 16}
    drawn = ask(client, **fields)
    assert drawn.json["usage"]["completion_tokens"] == 16
    same = {"seed": int(drawn.headers["X-Strophe-Seed"]), "max_tokens": 16, "min_tokens": 16}
    assert whole(client, **same)["choices"] == drawn.json["choices"]
    assert ask(client, **fields).json["choices"] != drawn.json["choices"]


def test_our_sampling_fields_are_taken(client: FlaskClient) -> None:
    fields = {"top_k": 3, "min_p": 0.1, "min_tokens": 30}
    assert whole(client, **fields)["choices"][0]["text"] == generated(client, **fields)


def test_a_bias_is_by_token_id(client: FlaskClient, tokenizer: Tokenizer) -> None:
    (letter,) = tokenizer.encode("q")
    text = whole(client, logit_bias={str(letter): 100}, min_tokens=30)["choices"][0]["text"]
    assert text == "q" * 30
    ended = whole(client, logit_bias={"1": 100})
    assert ended["choices"][0]["stop_reason"] == "end_of_document"


def test_log_probabilities_stand_in_four_lists(client: FlaskClient) -> None:
    choice = whole(client, logprobs=2, min_tokens=30)["choices"][0]
    told = choice["logprobs"]
    assert "".join(told["tokens"]) == choice["text"]
    assert told["text_offset"] == list(range(30))
    for token, value, top in zip(
        told["tokens"], told["token_logprobs"], told["top_logprobs"], strict=True
    ):
        assert top[token] == value <= 0
        assert 2 <= len(top) <= 3
    bare = whole(client, logprobs=0, min_tokens=30)["choices"][0]["logprobs"]
    assert bare["token_logprobs"] == told["token_logprobs"]
    assert all(len(top) == 1 for top in bare["top_logprobs"])


@pytest.mark.parametrize("echo", [False, True])
def test_a_stream_tells_the_same_log_probabilities_also_around_a_stop(
    client: FlaskClient, echo: bool
) -> None:
    text = generated(client, min_tokens=30)
    fields = {"stop": [text[12:15]], "logprobs": 1, "min_tokens": 30, "echo": echo}
    choice = whole(client, **fields)["choices"][0]
    assert choice["stop_reason"] == text[12:15]
    assert "".join(choice["logprobs"]["tokens"]) == choice["text"]
    streamed: dict[str, list[Any]] = {name: [] for name in choice["logprobs"]}
    for chunk in chunks(client, **fields):
        for name, values in chunk["choices"][0]["logprobs"].items():
            streamed[name] += values
    assert streamed == choice["logprobs"]


def test_echo_with_log_probabilities_tells_those_of_the_prompt(client: FlaskClient) -> None:
    told = whole(client, echo=True, logprobs=1, max_tokens=0)["choices"][0]
    assert told["text"] == PROMPT
    logprobs = told["logprobs"]
    assert "".join(logprobs["tokens"]) == PROMPT
    assert logprobs["text_offset"] == list(range(len(PROMPT)))
    assert (logprobs["token_logprobs"][0], logprobs["top_logprobs"][0]) == (None, None)
    assert all(value < 0 for value in logprobs["token_logprobs"][1:])


def test_what_was_written_is_as_likely_when_it_is_read(client: FlaskClient) -> None:
    choice = whole(client, logprobs=3, echo=True, min_tokens=30)["choices"][0]
    read = whole(client, prompt=choice["text"], logprobs=3, echo=True, max_tokens=0)
    assert read["choices"][0]["logprobs"] == choice["logprobs"]


def test_best_of_gives_the_likeliest_of_what_was_written(client: FlaskClient) -> None:
    answer = whole(client, n=2, logprobs=0, min_tokens=30)
    both = answer["choices"]
    means = [
        sum(choice["logprobs"]["token_logprobs"]) / len(choice["logprobs"]["tokens"])
        for choice in both
    ]
    best = whole(client, best_of=2, min_tokens=30)
    assert best["choices"][0]["text"] == both[means.index(max(means))]["text"]
    assert [choice["index"] for choice in best["choices"]] == [0]
    assert best["choices"][0]["logprobs"] is None
    assert best["usage"] == answer["usage"]


def test_more_prompts_than_slots_and_queue_can_ever_take_are_no_matter_of_time(
    client: FlaskClient,
) -> None:
    error = refused(client, prompt=["a"] * 4)
    assert error["param"] == "prompt"
    assert "at most 3" in error["message"]
    assert "at most 2" in refused(client, prompt=["a"] * 3, n=2)["message"]
    assert len(whole(client, prompt=["a"] * 3)["choices"]) == 3


def test_log_probabilities_in_one_piece_are_bounded_and_those_of_a_stream_not(
    client: FlaskClient,
) -> None:
    fields: dict[str, Any] = {"max_tokens": 20_000, "n": 2, "stop": "e"}
    best: dict[str, Any] = {"best_of": 2, "n": 1, "prompt": ["a"] * 2, "logprobs": 9}
    for more in ({"logprobs": 20}, best):
        assert refused(client, **{**fields, **more})["param"] == "max_tokens"
    assert whole(client, **fields, logprobs=5)["choices"]
    assert chunks(client, **fields, logprobs=20)
    error: Any = client.post(
        "/v1/generate",
        data=json.dumps({**fields, "logprobs": 20}),
        headers={"Accept": "application/json"},
    ).json
    assert error["error"]["param"] == "max_tokens"


def test_fields_that_are_left_aside_fit_into_a_header(client: FlaskClient) -> None:
    odd = {"x" * 1000: 1} | {f"field_{index}": 1 for index in range(500)}
    header = ask(client, **odd).headers["X-Strophe-Ignored-Fields"]
    assert header.split(",") == list(odd)[1:17]


def test_ids_may_open_with_the_beginning_of_a_document_which_is_not_scored(
    client: FlaskClient, tokenizer: Tokenizer
) -> None:
    ids = tokenizer.encode("abc")
    fields = {"echo": True, "logprobs": 1, "max_tokens": 3, "min_tokens": 3}
    bare = whole(client, prompt=ids, **fields)["choices"][0]
    opened = whole(client, prompt=[BOS_ID, *ids], **fields)["choices"][0]
    assert opened["text"] == bare["text"]
    told = opened["logprobs"]
    assert told["tokens"] == ["<s>", *bare["logprobs"]["tokens"]]
    assert told["text_offset"] == [0, *range(6)]
    assert (told["token_logprobs"][0], told["top_logprobs"][0]) == (None, None)
    assert told["token_logprobs"][2:] == bare["logprobs"]["token_logprobs"][1:]
    score: Any = client.post("/v1/score", data='{"text": "abc"}').json
    assert told["token_logprobs"][1:4] == [each["logprob"] for each in score["tokens"]]
    alone = whole(client, prompt=[BOS_ID], **fields)["choices"][0]["logprobs"]
    assert (alone["tokens"][0], len(alone["tokens"])) == ("<s>", 4)


def test_the_end_of_a_document_is_listed_without_text(client: FlaskClient) -> None:
    fields = {"logit_bias": {"1": 100}, "min_tokens": 2, "echo": True, "logprobs": 1}
    choice = whole(client, prompt="ab", **fields)["choices"][0]
    assert choice["stop_reason"] == "end_of_document"
    told = choice["logprobs"]
    assert (told["tokens"][-1], len(told["tokens"])) == ("<s>", 5)
    assert told["text_offset"] == [0, 1, 2, 3, 4]
    streamed = [chunk["choices"][0] for chunk in chunks(client, prompt="ab", **fields)]
    assert "".join(each["text"] for each in streamed) == choice["text"]
    tokens = [token for each in streamed for token in each["logprobs"]["tokens"]]
    assert tokens == told["tokens"]


@pytest.mark.parametrize(
    ("prompt", "offsets"),
    [
        ("a\u2014b", [0, 1, 1, 2]),
        ("the sea \u2014 the sky", [*range(9), 8, *range(9, 17)]),
        ("\ufb01re\u2026\r\nx", [0, 0, 1, 2, 3, 3, 3, 4, 6]),
        ("cafe\u0301 x", [0, 1, 2, 3, 5, 6]),
    ],
)
def test_an_offset_is_the_place_in_the_text_of_what_a_token_was_made_of(
    client: FlaskClient, prompt: str, offsets: list[int]
) -> None:
    fields: dict[str, Any] = {"prompt": ["a", prompt], "n": 2, "logprobs": 0, "min_tokens": 2}
    for choice in whole(client, echo=True, max_tokens=2, **fields)["choices"][2:]:
        generated_at = [len(prompt), len(prompt) + 1]
        assert choice["logprobs"]["text_offset"] == [*offsets, *generated_at]
    for choice in whole(client, max_tokens=2, **fields)["choices"]:
        assert choice["logprobs"]["text_offset"] == [0, 1]


def test_a_prompt_that_is_too_long_in_all_is_refused(client: FlaskClient) -> None:
    assert refused(client, status=413, prompt=["a" * 600, "b" * 600])["param"] == "prompt"
