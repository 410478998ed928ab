"""Request framing: a buffer of received bytes that knows where an HTTP/1 request ends.
How large a head may be is decided here.

Looks at no more of HTTP than that (end of the head, Content-Length, chunks), so that no thread has
to wait for the rest of a request; what the request says is read by gunicorn, from the same bytes.
Where anything looks odd, the buffer is ready at once: gunicorn then says what is wrong, so no
other reading of a request than gunicorn's ever counts. Knows nothing of sockets and clocks.
"""

import re

MAX_HEAD = 64 * 1024  # bytes of a head; a longer one is refused
_LONGEST_SIZE_LINE = 8190  # gunicorn's limit too
_END_OF_HEAD = b"\r\n\r\n"
_FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding)[ \t]*:[ \t]*([^\r\n]*)", re.I)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.I)
_LENGTH = re.compile(rb"\d{1,15}")
_CHUNK_SIZE = re.compile(rb"[0-9a-f]{1,8}(?![0-9a-f])", re.I)


class RequestBuffer:
    """Buffer of one request: `is_ready` once it is whole, or cannot become a valid request."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._data = bytearray()
        self._searched = 0  # up to here there is no end of the head
        self._body_at: int | None = None
        self._body_ends_at: int | None = None  # None: it comes in chunks
        self._chunk_at = 0
        self.is_ready = False
        self.expects_continue = False  # the client waits for 100 Continue before it sends the body

    @property
    def num_bytes(self) -> int:
        """Number of buffered bytes."""
        return len(self._data)

    @property
    def has_head(self) -> bool:
        """Whether the head of the request is whole."""
        return self._body_at is not None

    @property
    def is_head_too_long(self) -> bool:
        """Whether the head has passed `MAX_HEAD` bytes without an end."""
        return self._body_at is None and len(self._data) > MAX_HEAD

    @property
    def data(self) -> bytes:
        """Buffered bytes: the request, and what has come of the next one."""
        return bytes(self._data)

    def feed(self, received: bytes) -> None:
        """Append what was received, and look for the request's end."""
        self._data += received
        if self._body_at is None:
            self._look_for_head()
        if self._body_at is not None and not self.is_ready:
            self.is_ready = self._has_body()

    def _look_for_head(self) -> None:
        first = 2 if self._data.startswith(b"\r\n") else 0  # one empty line may come before
        end = self._data.find(_END_OF_HEAD, max(first, self._searched))
        self._searched = max(0, len(self._data) - len(_END_OF_HEAD) + 1)
        if end >= 0:
            self._read_head(end)
        elif self._has_bare_newline():
            self.is_ready = True

    def _has_bare_newline(self) -> bool:
        newline = self._data.find(b"\n")
        return newline >= 0 and not self._data.startswith(b"\r", max(0, newline - 1))

    def _read_head(self, end: int) -> None:
        head = bytes(self._data[: end + 2])
        if (expect := _EXPECT.search(head)) is not None:
            # Whoever buffers the body sends 100 Continue: not gunicorn, which gets the body whole.
            del self._data[expect.start() : expect.end()]
            end -= expect.end() - expect.start()
        self._body_at = self._chunk_at = end + len(_END_OF_HEAD)
        self._body_ends_at = self._body_at
        framing = _FRAMING.findall(head)
        if len(framing) == 1:
            self._note_framing(*framing[0])
        self.is_ready = len(framing) > 1 or self.is_ready
        self.expects_continue = expect is not None and not self.is_ready and not self._has_body()

    def _note_framing(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"transfer-encoding":
            self._body_ends_at = None
        elif _LENGTH.fullmatch(value.strip()) is None or int(value) > self._max_body:
            self.is_ready = True  # what is wrong can be said without the body
        else:
            self._body_ends_at = self._chunk_at + int(value)

    def _has_body(self) -> bool:
        if self._body_ends_at is not None:
            return len(self._data) >= self._body_ends_at
        return self._skip_chunks() or len(self._data) > self._max_body + MAX_HEAD

    def _skip_chunks(self) -> bool:
        """Skip whole chunks; whether the last one is there, or something that is no chunk."""
        while True:
            end = self._data.find(b"\r\n", self._chunk_at)
            if end < 0:
                return len(self._data) - self._chunk_at > _LONGEST_SIZE_LINE
            found = _CHUNK_SIZE.match(self._data, self._chunk_at, end)
            if found is None:
                return True
            size = int(found[0], 16)
            if size == 0:  # trailers may follow, which are searched again with each packet
                is_too_long = len(self._data) - end > MAX_HEAD
                return is_too_long or self._data.find(_END_OF_HEAD, end) >= 0
            if len(self._data) < end + 2 + size + 2:
                return False
            self._chunk_at = end + 2 + size + 2
