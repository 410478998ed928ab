"""Failures of engine requests, in words that may be shown to clients.

Knows nothing of HTTP: the routes choose the status code.
"""

from enum import Enum


class Failure(Enum):
    """Reason why a request ended without its whole text; each value is the message."""

    NOT_FINITE = "the model's numbers overflowed for this request; is its checkpoint sound?"
    FORM = "no line was found that keeps the form"
    ENGINE = "the engine failed while it worked on this request"
    STOPPING = "the service is stopping"
    TIMEOUT = "the request took longer than a request may take here"
    SLOW_READER = "the stream was read too slowly and too much text was waiting"
    CANCELLED = "the request was cancelled"
    RECEIVED = "the text received is not what this request writes here"


class RequestFailedError(Exception):
    """Raised to the reader of a request that has failed, once it has taken what was written."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


class ClientGoneError(Exception):
    """Raised on an HTTP thread: the client closed the connection before its answer was there."""


class SaturatedError(Exception):
    """Raised at submission: every slot is taken and the queue is full."""


class UnavailableError(Exception):
    """Raised at submission: the engine is stopping, or it has failed for good."""
