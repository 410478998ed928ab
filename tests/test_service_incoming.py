"""When a request on its way in is enough: to the byte, and at once where it is odd."""

import pytest

from service.server.request_framing import MAX_HEAD, Incoming

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


def received(*parts: bytes) -> Incoming:
    incoming = Incoming(max_body=1000)
    for part in parts:
        incoming.add(part)
    return incoming


@pytest.mark.parametrize("request_", WHOLE)
def test_a_request_is_enough_with_its_last_byte_and_not_before(request_: bytes) -> None:
    incoming = received()
    for index in range(len(request_)):
        assert not incoming.is_enough, index
        incoming.add(request_[index : index + 1])
    assert incoming.is_enough
    assert incoming.data == request_


@pytest.mark.parametrize("request_", WHOLE)
def test_what_follows_a_request_is_kept(request_: bytes) -> None:
    incoming = received(request_ + b"GET /")
    assert incoming.is_enough
    assert incoming.data == request_ + b"GET /"


@pytest.mark.parametrize("request_", ODD)
def test_what_cannot_become_a_request_is_enough_at_once(request_: bytes) -> None:
    assert received(request_).is_enough


def test_chunks_that_never_end_are_enough_some_time() -> None:
    incoming = received(CHUNKED)
    for _ in range((1000 + MAX_HEAD) // 6 + 1):
        incoming.add(b"1\r\n{\r\n")
    assert incoming.is_enough


def test_a_head_without_end_is_too_long() -> None:
    incoming = received(HEAD)
    assert not incoming.is_head_too_long
    incoming.add(b"X: " + b"x" * MAX_HEAD)
    assert incoming.is_head_too_long
    assert not incoming.has_head


def test_who_waits_for_a_word_before_the_body_is_known() -> None:
    head = HEAD + b"expect: 100-Continue\r\nContent-Length: 2\r\n\r\n"
    incoming = received(head)
    assert incoming.has_head
    assert incoming.wants_continue
    incoming.add(b"{}")
    assert incoming.is_enough
    assert incoming.data == HEAD + b"Content-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize("length", [b"0", b"2", b"1001"])
def test_nobody_waits_for_a_word_whose_body_is_there_or_unwanted(length: bytes) -> None:
    incoming = received(HEAD + b"Expect: 100-continue\r\nContent-Length: " + length + b"\r\n\r\n{}")
    assert incoming.is_enough
    assert not incoming.wants_continue
