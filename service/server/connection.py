"""Connection as gunicorn's worker holds it: buffered request, read deadline, bounded writes.
Refusals before there is a whole request: 408, 431, 503.

Knows nothing of who waits and for how long: `service.server.gunicorn_worker` decides.
"""

import errno
import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, get_args

from gunicorn import http  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers.gthread import TConn  # type: ignore[import-untyped]

from service.error_answers import ErrorBody, busy
from service.server.request_framing import RequestBuffer

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
MAX_WRITE = 64 * 1024  # bytes of one write: so much has the time of WRITE_TIMEOUT_S

WsgiApp = Callable[..., Iterable[bytes]]
EndReason = Literal["slow", "long_head", "crowded", "gave_way"]
END_REASONS: tuple[EndReason, ...] = get_args(EndReason)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits of one client's connection: seconds, but for the body, which is in bytes."""

    read_head_s: float
    read_body_s: float
    answer_s: float
    drain_s: float
    max_body: int


class ReadDeadlineError(TimeoutError):
    """Raised when a request is not whole in time; gunicorn takes it for a broken connection."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the request came too slowly")


class DeadlineUnreader(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's reader of a socket with one deadline for all that a request still misses."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.deadline = 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Read more bytes for gunicorn's parser. Raises ReadDeadlineError."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise ReadDeadlineError
        before = self.sock.gettimeout()
        self.sock.settimeout(left if before is None else min(left, before))
        try:
            received: bytes = super().chunk(size_hint)
        except TimeoutError as error:
            raise ReadDeadlineError from error
        finally:
            self.sock.settimeout(before)
        return received


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

    def take_pipelined(self) -> bytes:
        """Remove and return what gunicorn has read beyond the request that was answered last."""
        return b"" if self.parser is None else bytes(self.parser.unreader.take_buffered())

    def feed_parser(self, deadline: float) -> None:
        """Give the buffered request to gunicorn's parser, which reads the rest until `deadline`."""
        if self.parser is None:
            self.parser = http.get_parser(self.cfg, self.sock, self.client)
            self.parser.unreader = DeadlineUnreader(self.sock)
        if self.request_buffer is not None:
            self.parser.unreader.unread(self.request_buffer.data)
        self.parser.unreader.deadline = deadline
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
    message = f"the request's {part} was not whole after {seconds:g} seconds"
    error = ErrorBody(message=message, code="request_timeout")
    return Refusal("slow", _response("408 Request Timeout", error))


def head_too_long() -> Refusal:
    """431: the head of a request has no end within `MAX_HEAD` bytes."""
    error = ErrorBody(message="the request's head is too long", code="head_too_long")
    return Refusal("long_head", _response("431 Request Header Fields Too Large", error))


def crowded() -> Refusal:
    """503: no room for one more connection, or for so large a buffer."""
    error = busy("too many connections, or too much is being sent at once", "crowded")
    return Refusal("crowded", _response("503 Service Unavailable", error.body, error.headers))


def _response(status: str, error: ErrorBody, headers: dict[str, str] | None = None) -> bytes:
    body = json.dumps(error.as_json()).encode()
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
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
