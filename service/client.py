"""The client's end of the connection: whether it is still there, and how long a write may take.

Only gunicorn gives the socket; under another server (tests) the client is taken to be there.
"""

import select
import socket
from typing import Any

WRITE_TIMEOUT_S = 20.0  # a client that takes nothing for so long has gone


class Client:
    """Made from the request's WSGI environment."""

    def __init__(self, environ: dict[str, Any]) -> None:
        found = environ.get("gunicorn.socket")
        self._socket: socket.socket | None = found

    def limit_writes(self) -> None:
        """Let no write wait for ever: a client that does not read would keep its thread."""
        if self._socket is not None:
            self._socket.settimeout(WRITE_TIMEOUT_S)

    @property
    def has_gone(self) -> bool:
        """Whether the client has closed the connection, or its side of it.

        Looks without reading: what a client has sent ahead stays where it is.
        """
        if self._socket is None:
            return False
        try:
            poll = select.poll()  # select.select cannot take descriptors above 1023
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0)) and not self._socket.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):
            return True
