"""Client connection: whether the client is still there, whatever it has sent ahead."""

import socket
import struct
from collections.abc import Callable, Iterator

import pytest

from service.client_connection import ClientConnection

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The service's end of a TCP connection, and the client's."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as theirs,
        listener.accept()[0] as ours,
    ):
        yield ours, theirs


def reset(theirs: socket.socket) -> None:
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()


LEAVING = [socket.socket.close, lambda theirs: theirs.shutdown(socket.SHUT_WR), reset]


@pytest.mark.parametrize("sent_ahead", [b"", b"GET / HTTP/1.1\r\n"])
@pytest.mark.parametrize("leave", LEAVING, ids=["close", "half", "reset"])
def test_a_client_is_there_until_it_leaves(
    ends: Ends, sent_ahead: bytes, leave: Callable[[socket.socket], object]
) -> None:
    ours, theirs = ends
    theirs.sendall(sent_ahead)
    client = ClientConnection({"gunicorn.socket": ours})
    assert not client.is_closed
    leave(theirs)
    assert client.is_closed
    assert sent_ahead.startswith(ours.recv(100) if leave is not reset else b"")


def test_a_connection_that_was_closed_here_has_no_client(ends: Ends) -> None:
    ends[0].close()
    assert ClientConnection({"gunicorn.socket": ends[0]}).is_closed
