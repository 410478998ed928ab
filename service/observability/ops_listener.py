"""Ops listener: health and metrics on a port of their own, so that full threads never starve them.

Subclasses werkzeug's development server, which its authors do not mean for production: it serves
here a few cheap routes to probes and to Prometheus, with a bound on threads and time of its own.
"""

import socket
import sys
import threading
import time
from contextlib import suppress
from typing import Any

import structlog
from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from service.timeouts import OPS_ANSWER_S, OPS_CHECK_S

OPEN_AT_ONCE = 64  # a thread each


class _QuietHandler(WSGIRequestHandler):
    """Request handler that logs no requests and bounds each read and write."""

    timeout = OPS_ANSWER_S

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Log nothing: a probe every second is not news."""


class _BoundedServer(ThreadedWSGIServer):
    """Threaded WSGI server with a bound on open connections and on the time of each.

    Cuts off clients that are too slow, and the oldest one when more come than may be open at once.
    `_since` is changed from several threads, one item a call, which the GIL makes safe.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._since: dict[Any, float] = {}  # the oldest first
        super().__init__(*args, **kwargs)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a client that has connected. Called on the listener's thread."""
        if len(self._since) >= OPEN_AT_ONCE:
            self._cut_all(list(self._since)[:1])
        self._since[request] = time.monotonic()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection that was answered, or is gone. Called on the client's thread."""
        self._since.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: tuple[str, int] | str) -> None:
        """Log an error in one line; the base class would print a traceback."""
        structlog.get_logger().warning("ops_bad_request", reason=str(sys.exception()))

    def service_actions(self) -> None:
        """Cut off clients that are too slow. Called on the listener's thread at each look."""
        oldest = time.monotonic() - OPS_ANSWER_S
        self._cut_all([request for request, since in list(self._since.items()) if since < oldest])

    def _cut_all(self, requests: list[Any]) -> None:
        for request in requests:
            self._since.pop(request, None)
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)  # its thread is told so, and closes it


class OpsListener:
    """Server of `app` on a bound, listening socket, from a daemon thread."""

    def __init__(self, app: Flask, listening: socket.socket) -> None:
        host, port = listening.getsockname()[:2]
        self._server = _BoundedServer(host, port, app, _QuietHandler, fd=listening.fileno())
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[OPS_CHECK_S], name="ops", daemon=True
        )

    def start(self) -> None:
        """Start the listener's thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the socket."""
        if self._thread.is_alive():  # shutdown would wait for ever for a loop that never ran
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
