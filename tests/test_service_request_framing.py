"""Request framing: its end is found to the byte, and what cannot become a request is told at once.

With gunicorn's own parser, set as the service sets it.
"""

from functools import partial
from typing import Any

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from service.server.gunicorn_app import gunicorn_settings
from service.server.request_framing import MAX_HEAD, RequestBuffer
from service.server.request_head import (
    MAX_HEADER,
    MAX_HEADERS,
    MAX_REQUEST_LINE,
    read_request_head,
    read_request_line,
)
from service.settings import Settings

HEAD = b"POST /v1/generate HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = [
    b"GET /healthz HTTP/1.0\r\n\r\n",
    b"\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    HEAD + b"\r\n",
    HEAD + b"Content-Length: 2\r\n\r\n{}",
    HEAD + b"content-length:  0 \r\n\r\n",
    CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"1;name=value\r\n{\r\n1\r\n}\r\n0\r\nX-Trailer: 1\r\n\r\n",
    CHUNKED + b"A\r\n0\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
]
# A thread is to say what is wrong with them.
ODD = [
    HEAD + b"Content-Length: 1001\r\n\r\n",
    CHUNKED + b"zz\r\n",
    CHUNKED + b"\r\n",
    CHUNKED + b"5 \r\n",
    CHUNKED + b"5;=\r\n",
    CHUNKED + b"123456789\r\n",
    CHUNKED + b"1\r\n{xx",
    CHUNKED + b"1;" + b"x" * 9000,
    CHUNKED + b"0\r\nX: " + b"x" * MAX_HEAD,
]
MALFORMED = {
    400: [
        b"\x16\x03\x01",
        b"\x03\x00\x00\x13",
        b"hello\r\n",
        b"\r\n\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"GET / HTTP/3.0\r\n",
        b"get / HTTP/1.1\r\n",
        b"GET /\x00",
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.1\r\nHost: x\nX: y\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        HEAD + b"Host: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: user@x\r\n\r\n",
        HEAD + b"X : y\r\n\r\n",
        HEAD + b"X\r\n\r\n",
        HEAD + b"X: y\r\n z\r\n\r\n",
        HEAD + b"X: y\x00z\r\n\r\n",
        HEAD + b"Content-Length: -5\r\n\r\n",
        HEAD + b"Content-Length: 5, 5\r\n\r\n",
        HEAD + b"Content-Length: \xb2\r\n\r\n",
        HEAD + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: identity\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    414: [b"GET /" + b"a" * MAX_REQUEST_LINE],
    417: [HEAD + b"Expect: 200-ok\r\nContent-Length: 2\r\n\r\n"],
    431: [
        HEAD + b"X: y\r\n" * MAX_HEADERS + b"\r\n",
        HEAD + b"X: " + b"y" * MAX_HEADER + b"\r\n\r\n",
    ],
    501: [
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip\r\ntransfer-encoding: Chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: identity, chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: ,chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked;q=1\r\n\r\n",
        HEAD + b"Transfer-Encoding:\r\n\r\n",
    ],
}


def config() -> Any:
    """gunicorn's configuration, as far as its parser reads it."""
    made = Config()
    for name, value in gunicorn_settings(Settings()).items():
        made.set(name, value)
    return made


CONFIG = config()


def received(*parts: bytes) -> RequestBuffer:
    buffer = RequestBuffer(
        max_body=1000,
        read_line=partial(read_request_line, CONFIG),
        read_head=partial(read_request_head, CONFIG),
    )
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
def test_a_body_that_cannot_become_one_is_ready_at_once(request_: bytes) -> None:
    assert received(request_).is_ready


@pytest.mark.parametrize(
    ("status", "sent"), [(status, sent) for status, all_ in MALFORMED.items() for sent in all_]
)
def test_what_cannot_become_a_request_is_told_at_once_and_with_its_status(
    status: int, sent: bytes
) -> None:
    for parts in ([sent], [sent[index : index + 1] for index in range(len(sent))]):
        buffer = received()
        for part in parts[:-1]:
            buffer.feed(part)
            if buffer.problem is not None:  # at the first byte that no request has there
                break
        else:
            buffer.feed(parts[-1])
        assert buffer.problem is not None
        assert (buffer.problem.status, buffer.is_ready) == (status, False)


def test_tls_is_named_as_such() -> None:
    assert "TLS" in str(received(b"\x16\x03\x01\x02\x00\x01").problem)


@pytest.mark.parametrize(
    "host", [b"", b"x", b"x.example:8000", b"[::1]:8000", b"127.0.0.1", b"a_b-c~%20"]
)
def test_a_host_is_a_name_or_an_address_and_a_port(host: bytes) -> None:
    assert received(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n").problem is None


PARTS = [b"\r\n", b"\n", b" ", b":", b"GET / HTTP/1.1\r\n", HEAD, CHUNKED, b"5\r\n", b"0\r\n\r\n"]


@given(st.lists(st.one_of(st.sampled_from(PARTS), st.binary(max_size=8)), max_size=12))
def test_whatever_comes_is_waited_for_or_ready_or_a_problem(parts: list[bytes]) -> None:
    """And never an error, which would end the main thread."""
    buffer = received()
    for part in filter(None, parts):
        if buffer.is_ready or buffer.problem is not None:
            break
        buffer.feed(part)
    assert not (buffer.is_ready and buffer.problem is not None)


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
