"""WSGI middleware following an HTTP request to its response's last byte, for log, metrics, spans.

The recorders (metrics, spans, the request log) are called once, when the response has been sent or
has broken off; times are of the monotonic clock. Knows none of the recorders and no route.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, g, request

from model.decoding.generation import Generation
from service.engine.failure import Failure
from service.engine.request import Outcome, Request
from service.error_answers import CLIENT_CLOSED_REQUEST

_EXCHANGE = "strophe.exchange"  # the key of the WSGI environment


class ObservedJob(Protocol):
    """Facts of a job that its log line and its span tell."""

    @property
    def job_id(self) -> str:
        """Id under which the job can be cancelled."""
        ...

    @property
    def model(self) -> str:
        """Name of the model."""
        ...

    @property
    def requests(self) -> Sequence[Request]:
        """Engine requests of the job, one for each prompt."""
        ...

    @property
    def generations(self) -> Sequence[Generation]:
        """Texts that are written, by index; none where a prompt is only scored."""
        ...

    @property
    def num_prompt_tokens(self) -> int:
        """Count of tokens of all prompts."""
        ...

    @property
    def num_tokens(self) -> int:
        """Count of tokens written so far, over all texts."""
        ...

    @property
    def outcome(self) -> Outcome:
        """Outcome of the job: how it has ended, or will."""
        ...

    @property
    def failure(self) -> Failure | None:
        """Failure that left texts unfinished; None when all are whole, or were not wanted."""
        ...


@dataclass(kw_only=True, eq=False)
class HttpExchange:
    """One HTTP request and its response, as far as they are known.

    Text is as the client sent it: to be cleaned by whoever shows it.
    """

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
    status: int = 500  # until there is a response
    num_bytes: int = 0  # of the response's body
    is_whole: bool = False  # the whole response was handed over
    is_abandoned: bool = False  # the client left before that
    job: ObservedJob | None = None
    trace_id: str | None = None  # where a span tells of it

    @property
    def seconds(self) -> float:
        """Duration of the exchange, until now where it has not ended."""
        return (self.ended_at if self.ended_at is not None else time.monotonic()) - self.started_at


def attach_job(environ: WSGIEnvironment, job: ObservedJob) -> None:
    """Attach the job that an HTTP request started to its exchange, for log line and span."""
    cast(HttpExchange, environ[_EXCHANGE]).job = job


class ExchangeMiddleware:
    """Wraps a Flask application and reports each HTTP exchange that has ended.

    `on_end` are the recorders, called in this order on the thread that served the request.
    `has_client_gone` looks at the connection of a WSGI environment: whether the client closed it.
    """

    def __init__(
        self,
        app: Flask,
        on_end: Sequence[Callable[[HttpExchange], None]],
        has_client_gone: Callable[[WSGIEnvironment], bool],
    ) -> None:
        self._app: WSGIApplication = app.wsgi_app
        self._on_end = on_end
        self._has_client_gone = has_client_gone
        self._in_flight: set[HttpExchange] = set()  # one add or discard a thread: the GIL guards it
        app.wsgi_app = self._call  # type: ignore[method-assign]  # as Flask's manual says
        app.after_request(_describe)

    @property
    def num_in_flight(self) -> int:
        """Count of responses that have not ended, or that not all recorders know the end of."""
        return len(self._in_flight)

    def _call(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        exchange = HttpExchange(environ=environ, method=environ["REQUEST_METHOD"])
        environ[_EXCHANGE] = exchange
        self._in_flight.add(exchange)
        try:
            return _ObservedBody(self._app(environ, start_response), exchange, self._end)
        except BaseException:
            self._end(exchange)
            raise

    def _end(self, exchange: HttpExchange) -> None:
        if exchange.ended_at is not None:
            return
        exchange.ended_at = time.monotonic()
        exchange.is_abandoned = self._has_been_abandoned(exchange)
        try:
            for record in self._on_end:
                record(exchange)
        finally:
            # Last: where no response is in flight, all that have ended are counted.
            self._in_flight.discard(exchange)

    def _has_been_abandoned(self, exchange: HttpExchange) -> bool:
        if exchange.status == CLIENT_CLOSED_REQUEST:
            return True
        return not exchange.is_whole and self._has_client_gone(exchange.environ)


def _describe(response: Response) -> Response:
    """Copy the facts that Flask knows once it has matched the route and made a response."""
    exchange = cast(HttpExchange, request.environ[_EXCHANGE])
    exchange.request_id = g.get("request_id")
    exchange.key_name = g.get("key_name")
    exchange.path = request.path
    exchange.route = None if request.url_rule is None else request.url_rule.rule
    exchange.client = request.remote_addr
    exchange.user_agent = request.headers.get("User-Agent")
    exchange.status = response.status_code
    return response


class _ObservedBody:
    """Iterator over a response body that counts its bytes and notes where it ends."""

    def __init__(
        self, chunks: Iterable[bytes], exchange: HttpExchange, end: Callable[[HttpExchange], None]
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
        """End the exchange; called by the server, however the response ended."""
        try:
            if hasattr(self._chunks, "close"):
                self._chunks.close()
        finally:
            self._end(self._exchange)
