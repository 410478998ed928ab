"""One HTTP request and its answer, followed from its headers to the answer's last byte.

Those who tell of it (metrics, spans, the log) are called once, when the answer has been sent or
has broken off; the times are of the monotonic clock. Knows none of them.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, g, request

from service.api.client_connection import Client
from service.api.jobs import Job
from service.errors import CLIENT_CLOSED_REQUEST

_KEY = "strophe.exchange"


@dataclass(kw_only=True, eq=False)
class Exchange:
    """What is known of it. Text is as the client sent it: to be cleaned by whoever shows it."""

    environ: WSGIEnvironment
    method: str
    started_at: float = field(default_factory=time.monotonic)
    ended_at: float | None = None
    request_id: str | None = None
    key_name: str | None = None  # of the API key that was sent
    path: str = ""
    route: str | None = None  # the pattern; None when the path has none
    client: str | None = None
    user_agent: str | None = None
    status: int = 500  # until there is an answer
    num_bytes: int = 0  # of the answer's body
    is_whole: bool = False  # the whole answer was handed over
    is_abandoned: bool = False  # the client left before that
    job: Job | None = None
    trace_id: str | None = None  # where a span tells of it

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return (self.ended_at if self.ended_at is not None else time.monotonic()) - self.started_at

    def has_been_abandoned(self) -> bool:
        """Whether the client is gone and the answer not whole. Looks at the connection."""
        if self.status == CLIENT_CLOSED_REQUEST:
            return True
        return not self.is_whole and Client(self.environ).has_gone


class Exchanges:
    """Those of one application."""

    def __init__(self, app: Flask, on_end: Sequence[Callable[[Exchange], None]]) -> None:
        self._app: WSGIApplication = app.wsgi_app
        self._on_end = on_end
        self._under_way: set[Exchange] = set()
        app.wsgi_app = self._call  # type: ignore[method-assign]  # as Flask's manual says
        app.after_request(_describe)

    @property
    def num_under_way(self) -> int:
        """How many answers have not ended."""
        return len(self._under_way)

    def _call(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        exchange = Exchange(environ=environ, method=environ["REQUEST_METHOD"])
        environ[_KEY] = exchange
        self._under_way.add(exchange)
        try:
            return _Body(self._app(environ, start_response), exchange, self._end)
        except BaseException:
            self._end(exchange)
            raise

    def _end(self, exchange: Exchange) -> None:
        if exchange.ended_at is not None:
            return
        exchange.ended_at = time.monotonic()
        exchange.is_abandoned = exchange.has_been_abandoned()
        self._under_way.discard(exchange)
        for tell in self._on_end:
            tell(exchange)


def _describe(response: Response) -> Response:
    """Flask has matched the route and made an answer."""
    exchange = cast(Exchange, request.environ[_KEY])
    exchange.request_id = g.get("request_id")
    exchange.key_name = g.get("key_name")
    exchange.path = request.path
    exchange.route = None if request.url_rule is None else request.url_rule.rule
    exchange.client = request.remote_addr
    exchange.user_agent = request.headers.get("User-Agent")
    exchange.status = response.status_code
    exchange.job = g.get("job")
    return response


class _Body:
    """Passes an answer's body on, and sees how far it comes."""

    def __init__(
        self, chunks: Iterable[bytes], exchange: Exchange, end: Callable[[Exchange], None]
    ) -> None:
        self._chunks: Any = chunks
        self._iterator = iter(chunks)
        self._exchange = exchange
        self._end = end

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            chunk = next(self._iterator)
        except StopIteration:
            self._exchange.is_whole = True
            raise
        self._exchange.num_bytes += len(chunk)
        return chunk

    def close(self) -> None:
        """Called by the server, however the answer ended."""
        try:
            if hasattr(self._chunks, "close"):
                self._chunks.close()
        finally:
            self._end(self._exchange)
