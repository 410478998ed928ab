"""Ids: the client's own where it is sane, and one that nobody can choose for what it starts."""

import json
import re

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from service.request_ids import new_id, replica_of

pytest_plugins = ["service_fixtures"]

MADE = re.compile(r"req-[0-9a-f]{32}")


@pytest.mark.parametrize("given", ["a", "trace.1_2-3", "A" * 64])
def test_a_sane_id_comes_back_in_every_answer(client: FlaskClient, given: str) -> None:
    for path in ("/healthz", "/v1/models/none", "/nowhere"):
        assert client.get(path, headers={"X-Request-Id": given}).headers["X-Request-Id"] == given


@pytest.mark.parametrize(
    "given", ["", " ", "a b", "A" * 65, "a,b", "ä", "a/b", "<script>", "a\x1b"]
)
def test_any_other_is_replaced(client: FlaskClient, given: str) -> None:
    response = client.get("/healthz", headers={"X-Request-Id": given})
    assert MADE.fullmatch(response.headers["X-Request-Id"])


@given(st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True))
def test_an_id_names_the_replica_that_made_it(replica: str) -> None:
    assert replica_of(new_id("gen", replica)) == replica


@pytest.mark.parametrize("id_", ["gen-" + "0f" * 16, "gen-a", "", "gen-a-b", "gen-\n-" + "0" * 32])
def test_an_id_without_a_replica_names_none(id_: str) -> None:
    assert replica_of(id_) is None


def test_what_a_request_starts_has_an_id_of_its_own(client: FlaskClient) -> None:
    headers = {"X-Request-Id": "mine", "Accept": "application/json"}
    body = json.dumps({"max_tokens": 1})
    with capture_logs() as logs:
        answers = [client.post("/v1/generate", data=body, headers=headers) for _ in range(2)]
        for answer in answers:
            answer.close()
    ids = [answer.get_json()["id"] for answer in answers]
    assert all(re.fullmatch(r"gen-[0-9a-f]{32}", each) for each in ids)
    assert ids[0] != ids[1]
    assert [answer.headers["X-Strophe-Id"] for answer in answers] == ids
    assert [(line["id"], line["job"]) for line in logs] == [("mine", each) for each in ids]
