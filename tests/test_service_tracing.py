"""Spans, from the real service to a real collector: whole, and in nobody's way."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from collector import Collector, attributes_of, value_of
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from waiting import ENDS_WITHIN_S, wait_until

from service.observability.tracing import is_wanted, problem_of, start_tracing

if TYPE_CHECKING:
    from service_fixtures import Server, StartServer

pytest_plugins = ["service_fixtures"]

ENDLESS = {"max_tokens": 1_000_000, "min_tokens": 1_000_000}
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SECRET = "Nobody may know this line"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def server(start_server: "StartServer", worded_checkpoint: Path, collector: Collector) -> "Server":
    return start_server(
        STROPHE_CHECKPOINTS=str(worded_checkpoint.parent),
        STROPHE_MAX_STREAMS="2",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_BSP_SCHEDULE_DELAY="50",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
    )


def generate(
    server: "Server", fields: dict[str, object], headers: dict[str, str] | None = None
) -> requests.Response:
    url = server.url + "/v1/generate"
    return requests.post(url, data=json.dumps(fields), headers=headers, stream=True, timeout=20)


def span_of(collector: Collector, response: requests.Response) -> Span:
    job = response.headers["X-Strophe-Id"]
    return collector.wait_for(lambda span: attributes_of(span)["gen_ai.response.id"] == job)


@pytest.mark.slow
def test_a_chats_span_is_named_as_a_chat(server: "Server", collector: Collector) -> None:
    fields = {"messages": [{"role": "user", "content": "Thou"}], "max_tokens": 2}
    with requests.post(f"{server.url}/v1/chat/completions", json=fields, timeout=10) as response:
        span = span_of(collector, response)
    assert span.name == "chat tiny"
    assert attributes_of(span)["gen_ai.operation.name"] == "chat"


@pytest.mark.slow
def test_a_streams_span_has_its_parent_its_facts_and_its_whole_time(
    server: "Server", collector: Collector
) -> None:
    fields = {"prompt": SECRET, "stop": ["a secret, too"], "temperature": 0.5, "top_p": 0.9}
    fields |= {"seed": 7, "max_tokens": 4_000, "min_tokens": 4_000}
    before, started = time.time_ns(), time.monotonic()
    with generate(server, fields, {"traceparent": f"00-{TRACE}-{PARENT}-01"}) as response:
        assert len(response.text) == 4_000
    seconds = time.monotonic() - started
    span = span_of(collector, response)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert span.name == "text_completion tiny"
    assert span.kind == Span.SPAN_KIND_SERVER
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert before < span.start_time_unix_nano < span.end_time_unix_nano < time.time_ns()
    assert (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9 > seconds * 0.8
    events = [(event.name, event.time_unix_nano) for event in span.events]
    assert [name for name, _ in events] == ["queued", "began", "first_token", "written"]
    times = [span.start_time_unix_nano, *(at for _, at in events), span.end_time_unix_nano]
    assert times == sorted(times)
    facts = attributes_of(span)
    waited = facts.pop("gen_ai.response.time_to_first_chunk")
    assert isinstance(waited, float)
    assert waited == pytest.approx((events[2][1] - events[0][1]) / 1e9, abs=1e-5)
    del facts["gen_ai.response.id"]
    assert facts == {
        "http.request.method": "POST",
        "http.route": "/v1/generate",
        "http.response.status_code": 200,
        "gen_ai.operation.name": "text_completion",
        "gen_ai.provider.name": "strophe",
        "gen_ai.request.model": "tiny",
        "gen_ai.response.model": "tiny",
        "gen_ai.request.choice.count": 1,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.top_k": 0,
        "gen_ai.request.frequency_penalty": 0.0,
        "gen_ai.request.presence_penalty": 0.0,
        "gen_ai.request.max_tokens": 4_000,
        "gen_ai.request.seed": 7,
        "gen_ai.response.finish_reasons": ["length"],
        "gen_ai.usage.input_tokens": len(SECRET),
        "gen_ai.usage.output_tokens": 4_000,
        "gen_ai.usage.cache_read.input_tokens": 0,
    }


@pytest.mark.slow
def test_no_text_is_told_and_the_service_is_named(server: "Server", collector: Collector) -> None:
    with generate(server, {"prompt": SECRET, "max_tokens": 40, "min_tokens": 40}) as response:
        text = response.content
    span_of(collector, response)
    told = b"".join(collector.bodies)
    assert not [word for word in (SECRET.encode(), b"a secret, too", text) if word in told]
    (resource,) = {
        request.resource_spans[0].resource.SerializeToString(): request.resource_spans[0]
        for request in collector.requests
    }.values()
    named = {each.key: value_of(each.value) for each in resource.resource.attributes}
    assert named["service.name"] == "strophe"
    assert named["deployment.environment.name"] == "test"


@pytest.mark.slow
@pytest.mark.parametrize("traceparent", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01", "x" * 3000])
def test_without_a_proper_parent_a_trace_begins_here_and_the_log_names_it(
    server: "Server", collector: Collector, traceparent: str
) -> None:
    fields: dict[str, object] = {"max_tokens": 3, "min_tokens": 3}
    with generate(server, fields, {"traceparent": traceparent}) as response:
        assert response.content
    span = span_of(collector, response)
    assert not span.parent_span_id
    job = f'"job": "{response.headers["X-Strophe-Id"]}"'
    wait_until(lambda: job in server.log)
    (line,) = [json.loads(each) for each in server.log.splitlines() if job in each]
    assert line["trace_id"] == span.trace_id.hex() != "0" * 32


@pytest.mark.slow
def test_a_client_that_leaves_makes_an_error(server: "Server", collector: Collector) -> None:
    with generate(server, dict(ENDLESS), {"Accept": "text/event-stream"}) as response:
        lines = response.iter_lines()
        next(line for line in lines if b'"text"' in line)  # the first event comes before any text
    span = span_of(collector, response)
    facts = attributes_of(span)
    assert (span.status.code, facts["error.type"]) == (
        Status.STATUS_CODE_ERROR,
        "client_disconnected",
    )
    assert facts["gen_ai.response.finish_reasons"] == ["cancelled"]
    tokens = facts["gen_ai.usage.output_tokens"]
    assert isinstance(tokens, int)
    assert 0 < tokens < 1_000_000


@pytest.mark.slow
def test_a_generation_cancelled_by_its_id_makes_an_error(
    server: "Server", collector: Collector
) -> None:
    with generate(server, dict(ENDLESS), {"Accept": "text/event-stream"}) as response:
        job = response.headers["X-Strophe-Id"]
        cancelling = requests.post(f"{server.url}/v1/generate/{job}/cancel", timeout=10)
        assert cancelling.ok
        assert response.content
    span = span_of(collector, response)
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert attributes_of(span)["error.type"] == "cancelled"


@pytest.mark.slow
def test_several_texts_are_one_span(server: "Server", collector: Collector) -> None:
    fields: dict[str, object] = {"n": 2, "max_tokens": 5, "min_tokens": 5}
    with generate(server, fields, {"Accept": "application/json"}) as response:
        job = response.json()["id"]
    span = collector.wait_for(lambda span: attributes_of(span)["gen_ai.response.id"] == job)
    facts = attributes_of(span)
    assert facts["gen_ai.request.choice.count"] == 2
    assert facts["gen_ai.usage.output_tokens"] == 10
    assert facts["gen_ai.response.finish_reasons"] == ["length", "length"]


@pytest.mark.slow
def test_a_score_is_a_span_too_though_nothing_is_written(
    server: "Server", collector: Collector
) -> None:
    told = requests.post(server.url + "/v1/score", json={"text": "Thou"}, timeout=10).json()
    span = collector.wait_for(lambda span: attributes_of(span)["gen_ai.response.id"] == told["id"])
    facts = attributes_of(span)
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert (facts["http.route"], facts["gen_ai.usage.input_tokens"]) == ("/v1/score", 4)
    assert "gen_ai.request.seed" not in facts


@pytest.mark.slow
def test_a_poems_span_has_its_seed_and_how_it_ended(server: "Server", collector: Collector) -> None:
    fields = {"spec": {"stanzas": [[{"text": "the night"}]]}, "seed": 5}
    with requests.post(server.url + "/v1/poems", json=fields, timeout=30) as response:
        facts = attributes_of(span_of(collector, response))
    assert (facts["http.route"], facts["gen_ai.request.seed"]) == ("/v1/poems", 5)
    assert facts["gen_ai.request.choice.count"] == 1
    assert facts["gen_ai.response.finish_reasons"] == ["stop"]
    assert facts["gen_ai.usage.output_tokens"] == len("the night\n")


@pytest.mark.slow
def test_what_fails_at_the_stop_is_sent_before_the_end(
    start_server: "StartServer", collector: Collector
) -> None:
    """Its batch would be sent in a minute, so only the stop can have sent it."""
    server = start_server(
        STROPHE_DRAIN="2",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=collector.url + "/v1/traces",
        OTEL_BSP_SCHEDULE_DELAY="60000",
        OTEL_SERVICE_NAME="poems",
    )
    with generate(server, dict(ENDLESS), {"Accept": "text/event-stream"}) as response:
        chunks = response.iter_content(10)
        next(chunks)
        server.terminate()
        assert b"stopping" in b"".join(chunks)
    assert server.process.wait(timeout=ENDS_WITHIN_S) == 0
    span = span_of(collector, response)
    assert span.status.code == Status.STATUS_CODE_ERROR
    assert attributes_of(span)["error.type"] == "stopping"
    assert b"poems" in collector.bodies[-1]


@pytest.mark.slow
def test_a_collector_that_never_answers_is_in_nobodys_way(start_server: "StartServer") -> None:
    """It takes connections and says nothing; the queue of spans is full at once."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = start_server(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{silent.getsockname()[1]}",
            OTEL_EXPORTER_OTLP_TIMEOUT="3600",
            OTEL_BSP_SCHEDULE_DELAY="20",
            OTEL_BSP_MAX_QUEUE_SIZE="2",
            OTEL_BSP_MAX_EXPORT_BATCH_SIZE="1",
        )
        with requests.Session() as session:
            for _ in range(40):
                answer = session.post(
                    server.url + "/v1/generate", data='{"max_tokens": 1}', timeout=5
                )
                assert answer.ok
        assert len(other_lines(server)) <= 3
        server.terminate()
        assert server.process.wait(timeout=ENDS_WITHIN_S) == 0


@pytest.mark.slow
def test_a_collector_that_is_down_does_not_fill_the_log(
    start_server: "StartServer",
) -> None:
    server = start_server(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_TIMEOUT="0.2",
        OTEL_BSP_SCHEDULE_DELAY="20",
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE="1",
    )
    for _ in range(20):
        requests.post(server.url + "/v1/generate", data='{"max_tokens": 1}', timeout=5)
    wait_until(lambda: bool(other_lines(server)))
    server.terminate()  # which tries to send all that is left
    assert server.process.wait(timeout=ENDS_WITHIN_S) == 0
    lines = other_lines(server)
    assert 1 <= len(lines) <= 4
    assert "export" in lines[0]["event"]


def other_lines(server: "Server") -> list[dict[str, str]]:
    """All but those of the service itself."""
    lines = [json.loads(line) for line in server.log.splitlines()]
    known = ("request", "serving", "tracing", "checkpoint_loaded")
    return [line for line in lines if line["event"] not in known]


NAMED = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        ({"OTEL_SERVICE_NAME": "poems"}, False),
        (NAMED, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({**NAMED, "OTEL_SDK_DISABLED": "true"}, False),
        ({**NAMED, "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_spans_are_made_only_for_a_collector_that_is_named(
    variables: dict[str, str], wanted: bool
) -> None:
    assert is_wanted(variables) is wanted


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_TRACES_EXPORTER": "zipkin"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
        {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
    ],
)
def test_what_cannot_be_honoured_is_said_and_not_ignored(variables: dict[str, str]) -> None:
    (name,) = variables
    assert str(problem_of({**NAMED, **variables})).startswith(f"{name}: must be ")
    assert start_tracing({**NAMED, **variables}) is None
    assert problem_of(NAMED) is None


WITHOUT_THE_LIBRARIES = """
import sys
sys.modules["opentelemetry"] = None
import service.server.service_process
from service.observability.tracing import start_tracing
assert start_tracing({}) is None
print("no line so far")
assert start_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}) is None
"""


def test_a_service_without_the_libraries_needs_none_and_says_so_where_spans_are_wanted() -> None:
    command = [sys.executable, "-c", WITHOUT_THE_LIBRARIES]
    told = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
    first, second = told.stdout.splitlines()
    assert first == "no line so far"
    assert "strophe[trace]" in second
