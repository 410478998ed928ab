"""Request framing: its end is found to the byte, and at once where the framing is odd."""

import pytest

from service.server.request_framing import MAX_HEAD, RequestBuffer

HEAD = b"POST /v1/generate HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = [
    b"GET /healthz HTTP/1.1\r\n\r\n",
    b"\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    HEAD + b"\r\n",
    HEAD + b"Content-Length: 2\r\n\r\n{}",
    HEAD + b"content-length:  0 \r\n\r\n",
    CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"1;name=value\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: 1\r\n\r\n",
    CHUNKED + b"A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
]
ODD = [
    b"GET / HTTP/1.1\nHost: x\n",
    HEAD + b"Content-Length: -5\r\n\r\n",
    HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
    HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n",
    HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    HEAD + b"Content-Length: 1001\r\n\r\n",
    CHUNKED + b"zz\r\n",
    CHUNKED + b"\r\n",
    CHUNKED + b"123456789\r\n",
    CHUNKED + b"1;" + b"x" * 9000,
    CHUNKED + b"0\r\nX: " + b"x" * MAX_HEAD,
]


def received(*parts: bytes) -> RequestBuffer:
    buffer = RequestBuffer(max_body=1000)
    for part in parts:
        buffer.feed(part)
    return buffer


@pytest.mark.parametrize("request_", WHOLE)
def test_a_request_is_ready_with_its_last_byte_and_not_before(request_: bytes) -> None:
    buffer = received()
    for index in range(len(request_)):
        assert not buffer.is_ready, index
        buffer.feed(request_[index : index + 1])
    assert buffer.is_ready
    assert buffer.data == request_


@pytest.mark.parametrize("request_", WHOLE)
def test_pipelined_bytes_behind_a_request_are_kept(request_: bytes) -> None:
    buffer = received(request_ + b"GET /")
    assert buffer.is_ready
    assert buffer.data == request_ + b"GET /"


@pytest.mark.parametrize("request_", ODD)
def test_what_cannot_become_a_request_is_ready_at_once(request_: bytes) -> None:
    assert received(request_).is_ready


def test_chunks_that_never_end_are_ready_past_the_largest_body() -> None:
    buffer = received(CHUNKED)
    for _ in range((1000 + MAX_HEAD) // 6 + 1):
        buffer.feed(b"1\r\n{\r\n")
    assert buffer.is_ready


def test_a_head_without_end_is_too_long() -> None:
    buffer = received(HEAD)
    assert not buffer.is_head_too_long
    buffer.feed(b"X: " + b"x" * MAX_HEAD)
    assert buffer.is_head_too_long
    assert not buffer.has_head


def test_a_head_that_expects_100_continue_is_told_apart() -> None:
    head = HEAD + b"expect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
    buffer = received(head)
    assert buffer.has_head
    assert buffer.expects_continue
    buffer.feed(b"{}")
    assert buffer.is_ready
    assert buffer.data == HEAD + b"Content-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("length", [b"0", b"2", b"1001"])
def test_no_100_continue_is_expected_where_the_body_is_there_or_unwanted(length: bytes) -> None:
    buffer = received(HEAD + b"Expect: 100-continue\r\nContent-Length: " + length + b"\r\n\r\n{}")
    assert buffer.is_ready
    assert not buffer.expects_continue
