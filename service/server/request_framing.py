"""Request framing: a buffer of received bytes that knows where an HTTP/1 request ends.
How large a head may be is decided here.

What a head says is gunicorn's to read (`service.server.request_head`), here when the head is whole
and again in the thread that answers; of a body no more is looked at than where its chunks end, so
that no thread has to wait for the rest of a request. What cannot become a request is told at once:
a request line that is none with its end, a head with its own. Knows nothing of sockets and clocks.
"""

import re
from collections.abc import Callable

from gunicorn.http.body import CHUNK_EXT_RE  # type: ignore[import-untyped]

from service.server.request_head import MAX_REQUEST_LINE, MalformedRequestError, RequestHead

MAX_HEAD = 64 * 1024  # bytes of a head; a longer one is refused
_LONGEST_SIZE_LINE = 8190  # gunicorn's limit too
_END_OF_HEAD = b"\r\n\r\n"
_END_OF_LINE = re.compile(rb"\r\n|\r[^\n]|[^\r\x20-\x7e]")  # or a byte that no request line has
_BARE_NEWLINE = re.compile(rb"(?<!\r)\n")
_CONTINUE = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.I)
_CHUNK_SIZE = re.compile(rb"[0-9a-f]{1,8}", re.I)

ReadHead = Callable[[bytes], RequestHead]  # raises MalformedRequestError, as the next does


class RequestBuffer:
    """Buffer of one request: `is_ready` for a thread once it is whole, or too large.

    Where it cannot become a request, `problem` says why, and no thread is to see it. `read_line`
    reads a request line, `read_head` a whole head.
    """

    def __init__(
        self, max_body: int, read_line: Callable[[bytes], None], read_head: ReadHead
    ) -> None:
        self._max_body = max_body
        self._read_line = read_line
        self._read_head = read_head
        self._data = bytearray()
        self._searched = 0  # up to here there is no end of the head
        self._has_line = False
        self._body_at: int | None = None
        self._body_ends_at: int | None = None  # None: it comes in chunks
        self._chunk_at = 0
        self.problem: MalformedRequestError | None = None
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
        try:
            if self._body_at is None:
                self._look_for_head()
        except MalformedRequestError as error:
            self.problem = error
            return
        if self._body_at is not None and not self.is_ready:
            self.is_ready = self._has_body()

    def _look_for_head(self) -> None:
        first = 2 if self._data.startswith(b"\r\n") else 0  # one empty line may come before
        self._look_for_line(first)
        searched = max(first, self._searched)
        end = self._data.find(_END_OF_HEAD, searched)
        self._searched = max(0, len(self._data) - len(_END_OF_HEAD) + 1)
        if end >= 0:
            self._note_head(end + len(_END_OF_HEAD))
        elif _BARE_NEWLINE.search(self._data, searched):
            self._read_head(bytes(self._data) + _END_OF_HEAD)  # raises: none of its lines has one

    def _look_for_line(self, first: int) -> None:
        if self._has_line:
            return
        found = _END_OF_LINE.search(self._data, first)
        self._has_line = found is not None or len(self._data) - first > MAX_REQUEST_LINE
        if self._has_line:
            self._read_line(bytes(self._data[first : None if found is None else found.end()]))

    def _note_head(self, end: int) -> None:
        head = self._read_head(bytes(self._data[:end]))
        # Whoever buffers the body sends 100 Continue: not gunicorn, which gets the body whole.
        kept = _CONTINUE.sub(b"", self._data[:end])
        self._data[:end] = kept
        self._body_at = self._chunk_at = len(kept)
        if head.body_length is not None:
            self._body_ends_at = self._body_at + head.body_length
            self.is_ready = head.body_length > self._max_body  # refused without the body
        self.expects_continue = head.expects_continue and not self.is_ready and not self._has_body()

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
            if found is None or not CHUNK_EXT_RE.fullmatch(self._data, found.end(), end):
                return True
            size = int(found[0], 16)
            if size == 0:  # trailers may follow, which are searched again with each packet
                is_too_long = len(self._data) - end > MAX_HEAD
                return is_too_long or self._data.find(_END_OF_HEAD, end) >= 0
            behind = end + 2 + size
            if len(self._data) < behind + 2:
                return False
            if not self._data.startswith(b"\r\n", behind):
                return True
            self._chunk_at = behind + 2
