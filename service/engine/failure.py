"""Why a request ended without its text, in words that may be shown to whoever asked.

Knows nothing of HTTP: the routes choose the status code.
"""

from enum import Enum


class Failure(Enum):
    """The reasons; each value is the message."""

    NOT_FINITE = "the model's numbers overflowed for this request; is its checkpoint sound?"
    ENGINE = "the engine failed while it worked on this request"
    STOPPING = "the service is stopping"
    TIMEOUT = "the request took longer than a request may take here"
    SLOW_READER = "the stream was read too slowly and too much text was waiting"
    CANCELLED = "the request was cancelled"


class RequestFailedError(Exception):
    """Raised to the reader of a request that has failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class ClientGoneError(Exception):
    """The client has closed the connection before its answer was there."""


class SaturatedError(Exception):
    """Every slot is taken and the queue is full."""


class UnavailableError(Exception):
    """The engine takes no requests: it is stopping, or it has failed for good."""
