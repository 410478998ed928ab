"""Client connection: whether the client is still there, whatever it has sent ahead."""

import select
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


@pytest.fixture(params=["poll", "as-on-macOS"])
def _event(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What tells that a client sends no more; macOS has no such event."""
    if request.param == "as-on-macOS":
        monkeypatch.delattr(select, "POLLRDHUP", raising=False)


LEAVING = [socket.socket.close, lambda theirs: theirs.shutdown(socket.SHUT_WR), reset]


@pytest.mark.usefixtures("_event")
@pytest.mark.parametrize("leave", LEAVING, ids=["close", "half", "reset"])
def test_a_client_is_there_until_it_leaves(
    ends: Ends, leave: Callable[[socket.socket], object]
) -> None:
    ours, theirs = ends
    client = ClientConnection({"gunicorn.socket": ours})
    assert not client.is_closed
    leave(theirs)
    assert client.is_closed


@pytest.mark.skipif(not hasattr(select, "POLLRDHUP"), reason="a request sent ahead hides the end")
@pytest.mark.parametrize("leave", LEAVING, ids=["close", "half", "reset"])
def test_what_a_client_sent_ahead_is_left_and_hides_nothing(
    ends: Ends, leave: Callable[[socket.socket], object]
) -> None:
    ours, theirs = ends
    sent_ahead = b"GET / HTTP/1.1\r\n"
    theirs.sendall(sent_ahead)
    client = ClientConnection({"gunicorn.socket": ours})
    assert not client.is_closed
    leave(theirs)
    assert client.is_closed
    if leave is not reset:
        assert ours.recv(100) == sent_ahead


@pytest.mark.usefixtures("_event")
def test_a_connection_that_was_closed_here_has_no_client(ends: Ends) -> None:
    ends[0].close()
    assert ClientConnection({"gunicorn.socket": ends[0]}).is_closed
