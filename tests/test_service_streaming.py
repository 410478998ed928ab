"""Server-sent events, byte for byte."""

import json

import pytest

from service.api import streaming


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
