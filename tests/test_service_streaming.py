"""Server-sent events, byte for byte."""

import json
from collections.abc import Callable

import pytest
from steady_runner import SteadyRunner

from service.api import streaming
from service.api.jobs import Job
from service.client_connection import ClientConnection
from service.engine.engine import Engine
from service.engine.request import Request
from service.observability.metrics import Metrics
from service.timeouts import STREAM_PING_S, STREAM_PROGRESS_S

pytest_plugins = ["service_fixtures"]


def test_an_event_is_one_line_of_json_and_a_blank_line() -> None:
    assert (
        streaming.event({"index": 0, "text": "O rose\n"})
        == b'data: {"index":0,"text":"O rose\\n"}\n\n'
    )


def test_text_is_sent_as_utf8() -> None:
    assert streaming.event({"text": "é漢"}) == 'data: {"text":"é漢"}\n\n'.encode()


@pytest.mark.parametrize("text", ["a\r\nb", "a\u2028b", "a\u0085b", "\n\ndata: x\n\n", ""])
def test_no_text_can_end_an_event(text: str) -> None:
    event = streaming.event({"text": text})
    assert event.count(b"\n") == 2
    assert b"\r" not in event
    assert json.loads(event.removeprefix(b"data: ")) == {"text": text}


def test_numbers_that_json_has_not_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        streaming.event({"logprob": float("-inf")})


def test_the_fixed_frames_are_what_clients_expect() -> None:
    assert (streaming.DONE, streaming.PING) == (b"data: [DONE]\n\n", b": ping\n")


def test_while_a_prompt_is_read_comments_tell_how_far_it_is(
    make_engine: Callable[..., Engine], make_request: Callable[..., Request]
) -> None:
    request, now = make_request(SteadyRunner(), "a" * 100), 0.0
    job = Job(
        job_id="gen-1",
        fingerprint="fp_1",
        requests=[request, make_request(SteadyRunner(), "a" * 50)],
        outbox=request.outbox,
        client=ClientConnection({}),
        engine=make_engine(),
        metrics=Metrics().engine,
    )
    comments = streaming.Comments(job, clock=lambda: now)

    def after(seconds: float, fed: int) -> bytes | None:
        nonlocal now
        now += seconds
        request.num_fed_tokens = fed
        return comments.next()

    assert after(0.5 * STREAM_PROGRESS_S, 32) is None
    assert after(0.5 * STREAM_PROGRESS_S, 64) == b": reading, 64 of 150\n"
    assert after(STREAM_PROGRESS_S, 64) is None  # no news
    assert after(STREAM_PROGRESS_S, 96) == b": reading, 96 of 150\n"
    comments.note_sent()
    assert after(STREAM_PING_S, 96) == streaming.PING


def test_nothing_is_told_of_a_prompt_that_is_read(
    make_engine: Callable[..., Engine], make_request: Callable[..., Request]
) -> None:
    request, now = make_request(SteadyRunner(), "a" * 100), 0.0
    job = Job(
        job_id="gen-1",
        fingerprint="fp_1",
        requests=[request],
        outbox=request.outbox,
        client=ClientConnection({}),
        engine=make_engine(),
        metrics=Metrics().engine,
    )
    comments = streaming.Comments(job, clock=lambda: now)
    request.num_fed_tokens, now = 100, STREAM_PROGRESS_S
    assert comments.next() is None
