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
            return has_hung_up(self._socket)
        except (OSError, ValueError):
            return True


def has_hung_up(connection: socket.socket) -> bool:
    """Ask the system whether the other end of a connection sends no more, or has reset it.

    Raises OSError and ValueError for a socket that is closed at this end.
    """
    poll = select.poll()  # select.select cannot take descriptors above 1023
    if hasattr(select, "POLLRDHUP"):
        poll.register(connection, select.POLLRDHUP)  # an error is told in any case
        return bool(poll.poll(0))
    # macOS: the end of what was sent is seen by looking at what can be read. Behind a request that
    # was sent ahead it may hide until an answer is written.
    poll.register(connection, select.POLLIN)
    told = dict(poll.poll(0)).get(connection.fileno(), 0)
    return told & ~select.POLLIN != 0 or (told != 0 and not connection.recv(1, socket.MSG_PEEK))
