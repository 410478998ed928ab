"""A small listener of its own for health and metrics, so that full threads never starve them."""

import socket
import threading

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class _QuietHandler(WSGIRequestHandler):
    """Logs nothing, and lets no slow client keep a thread for long."""

    timeout = 10

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing: a probe every second is not news."""


class OpsListener:
    """Serves `app` on a bound, listening socket from a daemon thread."""

    def __init__(self, app: Flask, listening: socket.socket) -> None:
        host, port = listening.getsockname()[:2]
        self._server: BaseWSGIServer = make_server(
            host, port, app, threaded=True, request_handler=_QuietHandler, fd=listening.fileno()
        )
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
