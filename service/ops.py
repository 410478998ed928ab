"""A small listener of its own for health and metrics, so that full threads never starve them."""

import socket
import sys
import threading
from typing import Any

import structlog
from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler


class _QuietHandler(WSGIRequestHandler):
    """Logs nothing, and lets no slow client keep a thread for long."""

    timeout = 10

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing: a probe every second is not news."""


class _Server(ThreadedWSGIServer):
    """Tells of a request that could not even be read in a line like the others."""

    def handle_error(self, request: Any, client_address: tuple[str, int] | str) -> None:
        """The base class would print a traceback."""
        structlog.get_logger().warning("ops_bad_request", reason=str(sys.exception()))


class OpsListener:
    """Serves `app` on a bound, listening socket from a daemon thread."""

    def __init__(self, app: Flask, listening: socket.socket) -> None:
        host, port = listening.getsockname()[:2]
        self._server = _Server(host, port, app, _QuietHandler, fd=listening.fileno())
        self._thread = threading.Thread(target=self._server.serve_forever, name="ops", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():  # shutdown would wait for ever for a loop that never ran
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
