"""How an answer is written: never so much at once that a slow client could not take it in time."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from werkzeug.wsgi import ClosingIterator

WRITE_TIMEOUT_S = 20.0  # a client that takes nothing for so long has gone
WRITTEN_AT_ONCE = 64 * 1024  # bytes; so much must be taken in that time

WsgiApp = Callable[..., Iterable[bytes]]


def in_pieces(app: WsgiApp) -> WsgiApp:
    """The same application; its answers come in small pieces."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = app(environ, start_response)
        return ClosingIterator(_pieces(body), getattr(body, "close", None))

    return call


def _pieces(body: Iterable[bytes]) -> Iterator[bytes]:
    for item in body:
        if len(item) <= WRITTEN_AT_ONCE:
            yield item
        else:
            for start in range(0, len(item), WRITTEN_AT_ONCE):
                yield item[start : start + WRITTEN_AT_ONCE]
