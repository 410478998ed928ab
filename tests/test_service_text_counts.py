"""Limits count texts: what a request costs on each route, and what a refusal says."""

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from callers import ENDLESS, EVENTS
from flask.testing import FlaskClient
from limits import parse

from service.access.concurrency import concurrency_exceeded
from service.access.rate_counter import RateCounter, Taken, Window
from service.access.rate_limits import rate_exceeded

if TYPE_CHECKING:
    from access_fixtures import MakeClient, RedisServer

pytest_plugins = ["access_fixtures"]

REMAINING = "X-RateLimit-Remaining"
JSON = {"Accept": "application/json"}
GENERATE, COMPLETE, CHAT = "/v1/generate", "/v1/completions", "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "a"}]


def send(client: FlaskClient, path: str = GENERATE, **fields: Any) -> Any:
    return client.post(path, json={"max_tokens": 1, **fields}, headers=JSON, buffered=True)


@pytest.mark.parametrize(
    ("path", "fields", "cost"),
    [
        (GENERATE, {}, 1),
        (GENERATE, {"n": 2}, 2),
        (GENERATE, {"n": None}, 1),
        (COMPLETE, {"prompt": ["a", "b"]}, 2),
        (COMPLETE, {"prompt": "a", "n": 1, "best_of": 2}, 2),
        (COMPLETE, {"prompt": ["a", "b"], "n": 2}, 4),  # waits for its turn
        (CHAT, {"messages": MESSAGES, "n": 2}, 2),
        ("/tokenize", {"prompt": "a", "n": 5}, 1),  # has no texts, whatever it says
    ],
)
def test_a_request_costs_as_much_as_it_has_texts(
    make_client: "MakeClient", path: str, fields: dict[str, Any], cost: int
) -> None:
    answer = send(make_client(rate_limit="9/hour"), path, **fields)
    assert (answer.status_code, answer.headers[REMAINING]) == (200, str(9 - cost))


def test_what_is_refused_says_what_is_left_and_takes_nothing(make_client: "MakeClient") -> None:
    client = make_client(rate_limit="3/hour")
    assert send(client, n=2).status_code == 200
    refused = send(client, n=2)
    assert (refused.status_code, refused.headers[REMAINING]) == (429, "1")
    message = refused.json["error"]["message"]
    seconds = int(refused.headers["Retry-After"])
    assert 3000 < seconds <= 3600
    reason = "2 texts were asked for, 1 of 3 texts per hour is left"
    assert message == f"{reason}; ask for fewer, or wait {seconds:,} seconds"
    assert [send(client).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("rate", "asked", "left", "message"),
    [
        ("3/hour", 1, 0, "the rate limit of 3 texts per hour is used up; wait 1 second"),
        ("1/10 second", 1, 0, "the rate limit of 1 text per 10 seconds is used up; wait 1 second"),
        (
            "5000/2 day",
            3000,
            2000,
            (
                "3,000 texts were asked for, 2,000 of 5,000 texts per 2 days are left; "
                "ask for fewer, or wait 1 second"
            ),
        ),
    ],
)
def test_a_rate_is_told_in_words_for_one_and_for_many(
    rate: str, asked: int, left: int, message: str
) -> None:
    window = Window(rate=parse(rate), left=left, ends_at=0)  # long ago
    error = rate_exceeded(Taken(windows=[window], refusing=[window]), asked)
    assert error.body.message == message


@pytest.mark.parametrize(
    ("asked", "free", "begin", "end"),
    [
        (
            1,
            0,
            "1 text was asked for, and",
            "it has 3 of 3 running or waiting; wait until one ends",
        ),
        (2, 1, "2 texts were asked for, and", "; ask for fewer, or wait until they end"),
    ],
)
def test_too_many_texts_at_once_are_told_what_would_be_right(
    asked: int, free: int, begin: str, end: str
) -> None:
    message = concurrency_exceeded(asked, free, 3).body.message
    assert message.startswith(begin)
    assert message.endswith(end)


@pytest.mark.parametrize(
    "limits", [{"rate_limit": "9/minute;1/hour"}, {"max_streams_per_client": 1}]
)
def test_more_texts_than_ever_fit_are_refused_for_good(
    make_client: "MakeClient", limits: dict[str, Any]
) -> None:
    client = make_client(**limits)
    refused = send(client, n=2)
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "too_many_texts")
    assert "2 texts were asked for at once" in refused.json["error"]["message"]
    assert "more than 1; ask for fewer" in refused.json["error"]["message"]
    assert "Retry-After" not in refused.headers
    assert send(client).status_code == 200  # it cost nothing


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"n": 99}', 400),
        (b'{"n": "2"}', 400),
        (b'{"n": 2, "temperature": -1}', 400),
        (b" " * 3_000_000, 413),
    ],
)
def test_what_the_route_refuses_counts_as_one_text(
    make_client: "MakeClient", body: bytes, status: int
) -> None:
    limited, free = make_client(rate_limit="9/hour", max_streams_per_client=2), make_client()
    answer = limited.post(GENERATE, data=body)
    assert (answer.status_code, answer.headers[REMAINING]) == (status, "8")
    assert answer.json == free.post(GENERATE, data=body).json


def test_texts_that_run_leave_no_room_for_more(make_client: "MakeClient") -> None:
    client = make_client(max_streams_per_client=2)
    body = json.dumps({**json.loads(ENDLESS), "n": 2})
    with client.post(GENERATE, data=body, headers=EVENTS) as stream:
        refused = send(client)
        assert (stream.status_code, refused.status_code) == (200, 429)
        message = "1 text was asked for, and this client may have 0 more: it has 2 of 2 running"
        assert refused.json["error"]["message"].startswith(message)
    assert send(client).status_code == 200


def test_a_text_that_one_rate_refuses_is_taken_of_none() -> None:
    counter = RateCounter("9/minute;2/hour", "memory://")
    assert [window.left for window in counter.take("a", 2).windows] == [7, 0]
    refused = counter.take("a", 1)
    assert [str(window.rate) for window in refused.refusing] == ["2 per 1 hour"]
    assert [window.left for window in refused.windows] == [7, 0]
    assert [window.left for window in counter.take("b", 1).windows] == [8, 1]


def test_texts_are_counted_in_redis_as_here(redis_server: "RedisServer") -> None:
    here, there = (RateCounter("9/minute;5/hour", redis_server.url) for _ in range(2))
    assert [window.left for window in here.take("a", 2).windows] == [7, 3]
    refused = there.take("a", 4)
    assert [str(window.rate) for window in refused.refusing] == ["5 per 1 hour"]
    assert [window.left for window in refused.windows] == [7, 3]
    assert 3590 < refused.decisive.ends_at - time.time() <= 3601
    assert [window.left for window in there.take("a", 3).windows] == [4, 0]
