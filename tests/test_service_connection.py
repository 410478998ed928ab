"""Client connections of the gunicorn worker: what it reads, refusals, writes of bounded size."""

import json
import socket
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.server.connection import (
    MAX_WRITE,
    BufferedUnreader,
    Refusal,
    RequestCutError,
    crowded,
    head_too_long,
    malformed,
    request_timeout,
    with_bounded_writes,
)
from service.server.request_head import MalformedRequestError


class Body:
    """Response body of an application that tells whether it was closed."""

    def __init__(self, *items: bytes) -> None:
        self._items = items
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._items)

    def close(self) -> None:
        self.is_closed = True


def written(body: Iterable[bytes]) -> Iterable[bytes]:
    return with_bounded_writes(lambda environ, start_response: body)({}, None)


@given(st.lists(st.integers(0, 3 * MAX_WRITE + 1), max_size=3))
def test_no_write_is_longer_than_the_write_timeout_allows_and_no_byte_is_lost(
    sizes: list[int],
) -> None:
    items = [bytes([number + 1]) * size for number, size in enumerate(sizes)]
    writes = list(written(items))
    assert b"".join(writes) == b"".join(items)
    assert all(len(each) <= MAX_WRITE for each in writes)


def test_each_piece_of_a_stream_is_a_write_of_its_own() -> None:
    assert list(written([b"a", b"bc", b"d"])) == [b"a", b"bc", b"d"]


def test_a_body_that_is_never_read_is_closed() -> None:
    body = Body(b"a")
    answer = written(body)
    assert hasattr(answer, "close")
    answer.close()
    assert body.is_closed


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (request_timeout("head", 2), b"408 ", "request_timeout"),
        (head_too_long(), b"431 ", "head_too_long"),
        (crowded(), b"503 ", "crowded"),
        (malformed(MalformedRequestError("?", 501, "odd")), b"501 Not Implemented", "odd"),
    ],
)
def test_a_refusal_is_a_whole_answer_of_the_error_shape(
    refusal: Refusal, status: bytes, code: str
) -> None:
    head, _, body = refusal.response.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close" in head
    assert f"Content-Length: {len(body)}".encode() in head
    assert json.loads(body)["error"]["code"] == code


def test_a_read_beyond_what_was_received_fails_at_once_though_more_may_come() -> None:
    """So no client holds a thread by what it has not sent."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        unreader = BufferedUnreader(ours)
        unreader.unread(b"whole")
        theirs.sendall(b"late")
        assert unreader.read() == b"whole"
        with pytest.raises(RequestCutError):
            unreader.read()
