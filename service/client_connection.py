"""Client disconnect: tells whether a client has closed its connection, without reading from it.

Only gunicorn gives the socket; under another server (tests) the client is taken to be there.
Knows nothing of requests, jobs and answers.
"""

import select
import socket
from typing import Any


class ClientConnection:
    """Connection that one HTTP request came through, made from the request's WSGI environment."""

    def __init__(self, environ: dict[str, Any]) -> None:
        found = environ.get("gunicorn.socket")
        self._socket: socket.socket | None = found

    @property
    def is_closed(self) -> bool:
        """True once the client has closed the connection, or its side of it.

        Looks without reading: what a client has sent ahead stays where it is, and hides nothing.
        """
        if self._socket is None:
            return False
        try:
            poll = select.poll()  # select.select cannot take descriptors above 1023
            poll.register(self._socket, select.POLLRDHUP)  # an error is told in any case
            return bool(poll.poll(0))
        except (OSError, ValueError):
            return True
