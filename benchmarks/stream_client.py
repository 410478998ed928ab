"""Many plain-text streams read at once by one thread, with a clock: the client of bench_service.py.

Raw sockets and one selector, so that the client costs as little as it can of the machine that it
shares with the service. Reads chunked bodies, counts characters, notes when pieces came.
"""

import json
import selectors
import socket
import time
from dataclasses import dataclass, field

CONNECT_TIMEOUT_S = 30


@dataclass(eq=False)
class Stream:
    """One request and what came of it. Times are seconds since its request was sent."""

    sent_at: float
    socket: socket.socket
    buffer: bytearray = field(default_factory=bytearray)
    status: int = 0
    characters: int = 0
    pieces: list[float] = field(default_factory=list)  # when each came
    is_complete: bool = False

    @property
    def first_s(self) -> float:
        """Seconds to the first character."""
        return self.pieces[0]

    @property
    def gaps_s(self) -> list[float]:
        """Seconds between pieces."""
        return [after - before for before, after in zip(self.pieces, self.pieces[1:], strict=False)]

    def take(self, data: bytes, now: float) -> None:
        """Take more bytes of the answer, which came at `now`."""
        self.buffer += data
        if self.status == 0:
            self._take_head()
        if self.status != 0:
            self._take_chunks(now - self.sent_at)

    def _take_head(self) -> None:
        head, blank, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        if blank:
            self.status = int(head.split()[1])
            self.buffer = bytearray(rest)

    def _take_chunks(self, at: float) -> None:
        while b"\r\n" in self.buffer:
            line, _, rest = bytes(self.buffer).partition(b"\r\n")
            size = int(line, 16)
            if len(rest) < size + 2:
                return
            self.buffer = bytearray(rest[size + 2 :])
            if size == 0:
                self.is_complete = True
                return
            self.characters += len(rest[:size].decode())
            self.pieces.append(at)


def open_stream(port: int, fields: dict[str, object]) -> Stream:
    """Open a stream: connect and send one request."""
    body = json.dumps(fields).encode()
    head = (
        f"POST /v1/generate HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(body)}\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", port), timeout=CONNECT_TIMEOUT_S)
    sent_at = time.perf_counter()
    connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
    connection.setblocking(False)
    return Stream(sent_at=sent_at, socket=connection)


def read_all(streams: list[Stream], timeout_s: float) -> None:
    """Read all streams until they have ended, or `timeout_s` seconds are over."""
    selector, until = selectors.DefaultSelector(), time.perf_counter() + timeout_s
    for each in streams:
        selector.register(each.socket, selectors.EVENT_READ, each)
    while selector.get_map() and (left := until - time.perf_counter()) > 0:
        for key, _ in selector.select(left):
            stream: Stream = key.data
            data = stream.socket.recv(65_536)
            if data:
                stream.take(data, time.perf_counter())
            if not data or stream.is_complete:
                selector.unregister(stream.socket)
                stream.socket.close()
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    selector.close()
