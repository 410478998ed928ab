"""Connection as gunicorn's worker holds it: buffered request, and writes of bounded size.
Refusals before there is a whole request: 400, 408, 414, 417, 431, 501, 503.

Knows nothing of who waits and for how long: `service.server.gunicorn_worker` decides.
"""

import json
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Literal, get_args

import structlog
from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from service.error_answers import ErrorBody, busy
from service.server.request_framing import MAX_HEAD, RequestBuffer
from service.server.request_head import (
    MalformedRequestError,
    read_request_head,
    read_request_line,
)

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
MAX_WRITE = 64 * 1024  # bytes of one write: so much has the time of WRITE_TIMEOUT_S

WsgiApp = Callable[..., Iterable[bytes]]
EndReason = Literal["slow", "malformed", "long_head", "crowded", "gave_way"]
END_REASONS: tuple[EndReason, ...] = get_args(EndReason)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits of one client's connection: seconds, but for the body, which is in bytes."""

    read_head_s: float
    read_body_s: float
    answer_s: float
    drain_s: float
    max_body: int


class RequestCutError(TimeoutError):
    """Raised to gunicorn's parser when it asks for more than was received: a thread never waits."""


class BufferedUnreader(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's reader of a socket, without the socket: what it may read was received before."""

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Read more bytes for gunicorn's parser: there are none. Raises RequestCutError."""
        raise RequestCutError("the request is not whole")


class Connection(TConn):  # type: ignore[misc]
    """Client connection with the buffer of its next request and the deadline of what it waits for.

    Only the worker's main thread touches it, but for the time in which a thread answers it.
    """

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.parser: Any = None  # gunicorn's, from the first request on
        self.data_ready = True  # else gunicorn would wait for data in a thread
        self.request_buffer: RequestBuffer | None = None  # None: no further request is wanted
        self.deadline = 0.0

    @property
    def num_buffered(self) -> int:
        """Bytes of a request that is not whole."""
        return 0 if self.request_buffer is None else self.request_buffer.num_bytes

    def begin_request(self, max_body: int) -> RequestBuffer:
        """Make an empty buffer for the next request, of at most so many bytes of body."""
        self.request_buffer = RequestBuffer(
            max_body,
            read_line=partial(read_request_line, self.cfg),
            read_head=partial(read_request_head, self.cfg),
        )
        return self.request_buffer

    def take_pipelined(self) -> bytes:
        """Remove and return what gunicorn has read beyond the request that was answered last."""
        return b"" if self.parser is None else bytes(self.parser.unreader.take_buffered())

    def feed_parser(self) -> None:
        """Give the buffered request to gunicorn's parser."""
        if self.parser is None:
            self.parser = http.get_parser(self.cfg, self.sock, self.client)
            self.parser.unreader = BufferedUnreader(self.sock)
        if self.request_buffer is not None:
            self.parser.unreader.unread(self.request_buffer.data)
        self.request_buffer = None

    def send_nowait(self, data: bytes) -> None:
        """Send a few bytes without waiting; a client that has no room for them does without."""
        with suppress(OSError):
            self.sock.setblocking(False)
            self.sock.send(data)

    def abort(self) -> None:
        """Shut the socket down both ways, so that a thread that reads or writes there fails."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class Refusal:
    """HTTP answer, as bytes, to a client whose request is not whole, and why it gets it."""

    reason: EndReason
    response: bytes


def request_timeout(part: str, seconds: float) -> Refusal:
    """408: the head or the body of a request was not whole in time."""
    time = f"{seconds:g} {'second' if seconds == 1 else 'seconds'}"
    message = f"the request's {part} was not whole after {time}"
    error = ErrorBody(message=message, code="request_timeout")
    return Refusal("slow", _response(408, error))


def log_malformed(client: Any, problem: MalformedRequestError) -> None:
    """Log what is refused as no request, for whoever wonders why a client cannot connect."""
    facts = {"client": client[0], "status": problem.status, "reason": str(problem)}
    structlog.get_logger().warning("malformed_request", **facts)


def malformed(problem: MalformedRequestError) -> Refusal:
    """400, 414, 417, 431 or 501: what was received cannot become a request."""
    error = ErrorBody(message=str(problem), code=problem.code)
    return Refusal("malformed", _response(problem.status, error))


def head_too_long() -> Refusal:
    """431: the head of a request has no end within `MAX_HEAD` bytes."""
    error = ErrorBody(
        message=f"the request's head has no end within {MAX_HEAD} bytes", code="head_too_long"
    )
    return Refusal("long_head", _response(431, error))


def crowded() -> Refusal:
    """503: no room for one more connection, or for so large a buffer."""
    error = busy("too many connections, or too much is being sent at once", "crowded")
    return Refusal("crowded", _response(error.status, error.body, error.headers))


def _response(status: int, error: ErrorBody, headers: dict[str, str] | None = None) -> bytes:
    body = json.dumps(error.as_json()).encode()
    status_line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"
    lines = [status_line, "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def with_bounded_writes(app: WsgiApp) -> WsgiApp:
    """WSGI middleware that splits response bodies into writes of at most `MAX_WRITE` bytes.

    The write timeout holds for one write: a long one could not be taken in time by a client that
    is slow but there.
    """

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return _SplitBody(app(environ, start_response))

    return call


class _SplitBody:
    """Response body in chunks of at most `MAX_WRITE` bytes; closes the body that it splits.

    No generator: one that was never started would not close the body.
    """

    def __init__(self, body: Iterable[bytes]) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        for item in self._body:
            if len(item) <= MAX_WRITE:
                yield item
            else:
                for start in range(0, len(item), MAX_WRITE):
                    yield item[start : start + MAX_WRITE]

    def close(self) -> None:
        """Close the body, however the answer ended: called by gunicorn."""
        if (close := getattr(self._body, "close", None)) is not None:
            close()
