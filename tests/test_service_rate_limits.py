"""Rate limits: what counts, for whom, what is said, and a storage that is lost."""

import json
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from callers import ALICE, BOB, KEYS, bearer
from flask.testing import FlaskClient
from waiting import wait_until

from service.access.client_identity import counted_address

if TYPE_CHECKING:
    from access_fixtures import MakeClient, RedisServer

pytest_plugins = ["access_fixtures"]

BODY = json.dumps({"max_tokens": 1})
LIMIT, REMAINING, RESET = (f"X-RateLimit-{name}" for name in ("Limit", "Remaining", "Reset"))


def send(client: FlaskClient, headers: dict[str, str] | None = None, **options: Any) -> Any:
    return client.post("/v1/generate", data=BODY, headers=headers, buffered=True, **options)


def statuses(client: FlaskClient, count: int, headers: dict[str, str] | None = None) -> list[int]:
    return [send(client, headers).status_code for _ in range(count)]


def test_past_the_limit_the_answer_is_429_and_says_when_to_come_back(
    make_client: "MakeClient",
) -> None:
    client = make_client(rate_limit="2/minute;100/hour")
    first, second, third = (send(client) for _ in range(3))
    assert [first.status_code, second.status_code, third.status_code] == [200, 200, 429]
    assert (first.headers[LIMIT], first.headers[REMAINING]) == ("2", "1")
    assert third.headers[REMAINING] == "0"
    assert time.time() < int(third.headers[RESET]) <= time.time() + 61
    assert "Retry-After" not in first.headers
    assert 1 <= int(third.headers["Retry-After"]) <= 60
    error = third.get_json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")
    assert "2 texts per minute is used up; wait " in error["message"]


def test_the_time_to_come_back_is_that_of_the_longest_limit_that_is_used_up(
    make_client: "MakeClient",
) -> None:
    client = make_client(rate_limit="2/minute;2/hour")
    statuses(client, 2)
    assert int(send(client).headers["Retry-After"]) > 3000


def test_after_the_window_requests_go_through_again(make_client: "MakeClient") -> None:
    client = make_client(rate_limit="1/second")
    answers = []

    def answered(status: int) -> bool:
        answers.append(send(client))
        return bool(answers[-1].status_code == status)

    wait_until(lambda: answered(429))  # two that do not fall into the same second
    assert answers[-1].headers["Retry-After"] == "1"
    wait_until(lambda: answered(200))


def test_only_what_makes_work_counts(make_client: "MakeClient") -> None:
    client = make_client(rate_limit="1/hour", api_keys=KEYS)
    client.application.post("/v1/new", endpoint="new")(lambda: "")
    for headers in ({}, bearer("wrong"), bearer("x" * 30)):
        assert statuses(client, 2, headers) == [401, 401]
    alice = bearer(ALICE)
    for _ in range(3):
        for path in ("/healthz", "/v1/models", "/metrics", "/readyz", "/v1/generate"):
            assert REMAINING not in client.get(path, headers=alice).headers
        client.options("/v1/generate", headers=alice)
        assert client.post("/v1/nowhere", headers=alice).status_code == 404
        assert client.post("/v1/generate/x/cancel", headers=alice).status_code == 404
    assert send(client, alice).status_code == 200
    assert client.post("/v1/new", headers=alice).status_code == 429
    assert client.post("/v1/generate/x/cancel", headers=alice).status_code == 404


def test_each_key_has_its_own_count_whatever_its_address(make_client: "MakeClient") -> None:
    client = make_client(rate_limit="2/hour", api_keys=f"{KEYS}, alice: alice-has-two-keys")
    assert statuses(client, 3, bearer(ALICE)) == [200, 200, 429]
    assert send(client, {"X-Api-Key": "alice-has-two-keys"}).status_code == 429
    assert statuses(client, 3, bearer(BOB)) == [200, 200, 429]


def test_without_keys_addresses_are_counted(make_client: "MakeClient") -> None:
    client = make_client(rate_limit="1/hour")
    got = [
        send(client, environ_overrides={"REMOTE_ADDR": address}).status_code
        for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1")
    ]
    assert got == [200, 200, 429]


@pytest.mark.parametrize(
    ("proxies", "first", "second", "status"),
    [
        (0, "1.1.1.1", "2.2.2.2", 429),  # anybody may write the header
        (1, "1.1.1.1", "2.2.2.2", 200),
        (1, "9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1", 429),  # what the client wrote is in front
        (2, "1.1.1.1, 7.7.7.7", "2.2.2.2, 7.7.7.7", 200),
        (1, "nonsense", "more nonsense", 429),
    ],
)
def test_only_trusted_proxies_tell_the_address(
    make_client: "MakeClient", proxies: int, first: str, second: str, status: int
) -> None:
    client = make_client(rate_limit="1/hour", trusted_proxies=proxies)
    assert send(client, {"X-Forwarded-For": first}).status_code == 200
    assert send(client, {"X-Forwarded-For": second}).status_code == status


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        (None, "unknown"),
        ("", "unknown"),
        ("10.1.2.3:80", "unknown"),
    ],
)
def test_ipv6_clients_are_counted_by_their_network(address: str | None, counted_as: str) -> None:
    assert counted_address(address) == counted_as


def test_a_lost_storage_is_told_once_and_stops_nobody(
    make_client: "MakeClient", redis_server: "RedisServer"
) -> None:
    client = make_client(rate_limit="3/hour", rate_limit_storage=redis_server.url)
    assert statuses(client, 2) == [200, 200]
    redis_server.stop()
    with structlog.testing.capture_logs() as lines:
        assert statuses(client, 5) == [200, 200, 200, 429, 429]  # counted here, from the beginning
        redis_server.start()
        wait_until(lambda: send(client).status_code == 200)
    told = [line["event"] for line in lines if line["event"].startswith("rate_storage")]
    assert told == ["rate_storage_lost", "rate_storage_back"]


def test_a_storage_that_never_answers_stops_nobody(make_client: "MakeClient") -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        storage = f"redis://127.0.0.1:{deaf.getsockname()[1]}/0"
        client = make_client(rate_limit="2/hour", rate_limit_storage=storage)
        assert statuses(client, 3) == [200, 200, 429]


def test_a_full_service_still_says_503_and_its_own_time(make_client: "MakeClient") -> None:
    client = make_client(rate_limit="100/hour")
    body = json.dumps({"max_tokens": 50_000, "min_tokens": 50_000})
    events = {"Accept": "text/event-stream"}
    crowd = [client.post("/v1/generate", data=body, headers=events) for _ in range(3)]
    refusal = send(client)
    for response in crowd:
        response.close()
    assert (refusal.status_code, refusal.headers["Retry-After"]) == (503, "1")
