"""The client's end of the connection: whether it is still there.

Only gunicorn gives the socket; under another server (tests) the client is taken to be there.
"""

import select
import socket
from typing import Any


class Client:
    """Made from the request's WSGI environment."""

    def __init__(self, environ: dict[str, Any]) -> None:
        found = environ.get("gunicorn.socket")
        self._socket: socket.socket | None = found

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
