"""Server-sent events, byte for byte: one encoder for every stream.

The payload is always JSON on one line, so a newline in a poem cannot end an event.
"""

from typing import Any

from service.api.json_text import json_text

CONTENT_TYPE = "text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"
# One newline: a comment that is followed by a blank line is an empty event to some clients.
PING = b": ping\n"


def event(payload: dict[str, Any]) -> bytes:
    """One event."""
    return b"data: " + json_text(payload).encode() + b"\n\n"


def waiting(num_ahead: int) -> bytes:
    """A comment: so many requests are served before this one begins."""
    return f": waiting, {num_ahead} ahead\n".encode()
