"""One client's connection as gunicorn knows it, what it has sent so far, and what it is told where
no request of it can be answered.

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

from service.errors import ErrorBody, busy
from service.server.request_framing import Incoming

WRITE_TIMEOUT_S = 20.0  # a client that takes nothing for so long has gone
MAX_WRITE = 64 * 1024  # bytes of one write; so much must be taken in that time
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Reason = Literal["slow", "long_head", "crowded", "gave_way"]
REASONS: tuple[Reason, ...] = get_args(Reason)


class ReadTooSlowError(TimeoutError):
    """A request's rest did not come in time. gunicorn takes it for a connection that broke."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the request came too slowly")


class DeadlineUnreader(SocketUnreader):  # type: ignore[misc]  # gunicorn has no types
    """Reads what was not gathered before, until the request's deadline."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.deadline = 0.0

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Called by gunicorn: more bytes."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise ReadTooSlowError
        before = self.sock.gettimeout()
        self.sock.settimeout(left if before is None else min(left, before))
        try:
            received: bytes = super().chunk(size_hint)
        except TimeoutError as error:
            raise ReadTooSlowError from error
        finally:
            self.sock.settimeout(before)
        return received


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, and its next request as far as it is there."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.parser: Any = None  # gunicorn's, from the first request on
        self.data_ready = True  # else gunicorn would wait for data in a thread
        self.incoming: Incoming | None = None  # None: nothing more is wanted
        self.deadline = 0.0

    @property
    def num_held(self) -> int:
        """Bytes of a request that is not whole."""
        return 0 if self.incoming is None else self.incoming.size

    def take_buffered(self) -> bytes:
        """What was read behind the request that was answered last."""
        return b"" if self.parser is None else bytes(self.parser.unreader.take_buffered())

    def pass_on(self, deadline: float) -> None:
        """Give gunicorn's parser what was gathered; what it still misses has until `deadline`."""
        if self.parser is None:
            self.parser = http.get_parser(self.cfg, self.sock, self.client)
            self.parser.unreader = DeadlineUnreader(self.sock)
        if self.incoming is not None:
            self.parser.unreader.unread(self.incoming.data)
        self.parser.unreader.deadline = deadline
        self.incoming = None

    def say(self, words: bytes) -> None:
        """Send a few bytes without waiting; a client that has no room for them does without."""
        with suppress(OSError):
            self.sock.setblocking(False)
            self.sock.send(words)

    def cut(self) -> None:
        """End it both ways: a thread that reads or writes there is told so."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A whole answer of the one shape, to what is no request yet."""

    reason: Reason
    answer: bytes


def too_slow(part: str, seconds: float) -> Refusal:
    """The request did not come in time."""
    message = f"the request's {part} was not whole after {seconds:g} seconds"
    error = ErrorBody(message=message, code="request_timeout")
    return Refusal("slow", _answer("408 Request Timeout", error))


def head_too_long() -> Refusal:
    """No end of the head is to be hoped for."""
    error = ErrorBody(message="the request's head is too long", code="head_too_long")
    return Refusal("long_head", _answer("431 Request Header Fields Too Large", error))


def crowded() -> Refusal:
    """There is no room for this connection, or for what it sends."""
    error = busy("too many connections, or too much is being sent at once", "crowded")
    return Refusal("crowded", _answer("503 Service Unavailable", error.body, error.headers))


def _answer(status: str, error: ErrorBody, headers: dict[str, str] | None = None) -> bytes:
    body = json.dumps(error.as_json()).encode()
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


WsgiApp = Callable[..., Iterable[bytes]]


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
        """Close the body, however the answer ended: called by the server."""
        if (close := getattr(self._body, "close", None)) is not None:
            close()
