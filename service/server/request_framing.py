"""One request on its way in: the bytes so far, and whether they are enough to answer it.

Looks at no more of HTTP than where a request ends, so that nobody has to wait for its rest; what it
says is read by gunicorn, from the same bytes. Where anything looks odd, it is enough: gunicorn
then says what is wrong. Knows nothing of sockets and clocks.
"""

import re

MAX_HEAD = 64 * 1024  # without an end: nobody's request
_LONGEST_SIZE_LINE = 8190  # gunicorn's limit too
_END_OF_HEAD = b"\r\n\r\n"
_FRAMING = re.compile(rb"\r\n(content-length|transfer-encoding)[ \t]*:[ \t]*([^\r\n]*)", re.I)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.I)
_LENGTH = re.compile(rb"\d{1,15}")
_CHUNK_SIZE = re.compile(rb"[0-9a-f]{1,8}(?![0-9a-f])", re.I)


class Incoming:
    """`add` what was received; `is_enough` once the request is whole or cannot become so."""

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._data = bytearray()
        self._searched = 0  # up to here there is no end of the head
        self._body_at: int | None = None
        self._body_ends_at: int | None = None  # None: it comes in chunks
        self._chunk_at = 0
        self.is_enough = False
        self.wants_continue = False  # the client waits for a word before it sends the body

    @property
    def size(self) -> int:
        """How many bytes are held."""
        return len(self._data)

    @property
    def has_head(self) -> bool:
        """Whether all but the body is there."""
        return self._body_at is not None

    @property
    def is_head_too_long(self) -> bool:
        """Whether no end of the head is to be hoped for."""
        return self._body_at is None and len(self._data) > MAX_HEAD

    @property
    def data(self) -> bytes:
        """All of it, and what came of the next request."""
        return bytes(self._data)

    def add(self, received: bytes) -> None:
        """More of it."""
        self._data += received
        if self._body_at is None:
            self._look_for_head()
        if self._body_at is not None and not self.is_enough:
            self.is_enough = self._has_body()

    def _look_for_head(self) -> None:
        first = 2 if self._data.startswith(b"\r\n") else 0  # one empty line may come before
        end = self._data.find(_END_OF_HEAD, max(first, self._searched))
        self._searched = max(0, len(self._data) - len(_END_OF_HEAD) + 1)
        if end >= 0:
            self._read_head(end)
        elif self._has_bare_newline():
            self.is_enough = True

    def _has_bare_newline(self) -> bool:
        newline = self._data.find(b"\n")
        return newline >= 0 and not self._data.startswith(b"\r", max(0, newline - 1))

    def _read_head(self, end: int) -> None:
        head = bytes(self._data[: end + 2])
        if (expect := _EXPECT.search(head)) is not None:
            # The word is given by whoever waits for the body: not by gunicorn, which gets it whole.
            del self._data[expect.start() : expect.end()]
            end -= expect.end() - expect.start()
        self._body_at = self._chunk_at = end + len(_END_OF_HEAD)
        self._body_ends_at = self._body_at
        framing = _FRAMING.findall(head)
        if len(framing) == 1:
            self._note_framing(*framing[0])
        self.is_enough = len(framing) > 1 or self.is_enough
        self.wants_continue = expect is not None and not self.is_enough and not self._has_body()

    def _note_framing(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"transfer-encoding":
            self._body_ends_at = None
        elif _LENGTH.fullmatch(value.strip()) is None or int(value) > self._max_body:
            self.is_enough = True  # what is wrong can be said without the body
        else:
            self._body_ends_at = self._chunk_at + int(value)

    def _has_body(self) -> bool:
        if self._body_ends_at is not None:
            return len(self._data) >= self._body_ends_at
        return self._skip_chunks() or len(self._data) > self._max_body + MAX_HEAD

    def _skip_chunks(self) -> bool:
        """Whether the last chunk is there, or what is no chunk."""
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
