"""Concurrency limit: how many texts of one client may run or wait at once, in this process."""

import threading
from collections import Counter
from dataclasses import dataclass

from flask import Flask, Response, g

from model.count_in_words import counted
from service.access.client_identity import client_id
from service.access.route_flags import is_counted
from service.access.text_counts import num_texts, require_at_most
from service.error_answers import ApiError, ErrorBody
from service.timeouts import PERMIT_WAIT_S, RETRY_AFTER_S


@dataclass(frozen=True, eq=False, slots=True)
class Permit:
    """Permit of one running request of a client and its texts; equal to itself alone."""

    client: str
    num_texts: int


class ConcurrencyLimiter:
    """Limiter of the texts that each client's requests hold permits for at once.

    `most` is how many. A request waits at most `wait_s` seconds for permits that are given
    back. Clients that hold none take no memory.
    """

    def __init__(self, most: int, wait_s: float = PERMIT_WAIT_S) -> None:
        self._most = most
        self._wait_s = wait_s
        self._changed = threading.Condition()  # guards the two below
        self._held: dict[str, set[Permit]] = {}
        self._num_waiting: Counter[str] = Counter()  # texts

    def acquire(self, client: str, num_texts: int = 1) -> Permit | None:
        """Take a permit for one more request; None when its texts do not fit."""
        with self._changed:
            if num_texts > self._free(client) and not self._wait_for_room(client, num_texts):
                return None
            self._held.setdefault(client, set()).add(permit := Permit(client, num_texts))
            return permit

    def release(self, permit: Permit) -> None:
        """Give a permit back: its request has ended. May be called twice."""
        with self._changed:
            permits = self._held.get(permit.client, set())
            permits.discard(permit)
            if not permits:
                self._held.pop(permit.client, None)
            self._changed.notify_all()

    def num_free(self, client: str) -> int:
        """Count of texts that a client may have beside those that it has at this moment."""
        with self._changed:
            return self._free(client)

    def _free(self, client: str) -> int:
        return self._most - sum(permit.num_texts for permit in self._held.get(client, ()))

    def _wait_for_room(self, client: str, num_texts: int) -> bool:
        """Wait a moment for permits; False without. More than can be given do not wait."""
        if self._num_waiting[client] + num_texts > self._most:
            return False
        self._num_waiting[client] += num_texts
        has_room = self._changed.wait_for(lambda: num_texts <= self._free(client), self._wait_s)
        self._num_waiting[client] -= num_texts
        if not self._num_waiting[client]:
            del self._num_waiting[client]
        return has_room


def limit_concurrency(app: Flask, most: int) -> None:
    """Let each client have `most` texts at once; `g.permit` is held until its response ends."""
    limiter = ConcurrencyLimiter(most)

    @app.before_request
    def acquire() -> None:
        if not is_counted():
            return
        require_at_most(most, "the limit of texts at once")
        g.permit = limiter.acquire(client_id(), num_texts())
        if g.permit is None:
            raise concurrency_exceeded(num_texts(), limiter.num_free(client_id()), most)

    @app.after_request
    def release_at_the_end(response: Response) -> Response:
        permit: Permit | None = g.get("permit")
        if permit is not None:
            response.call_on_close(lambda: limiter.release(permit))
        return response


def concurrency_exceeded(asked: int, free: int, most: int) -> ApiError:
    """Error 429 without a time: when one of the client's requests ends is not known."""
    texts = f"{counted(asked, 'text')} {'was' if asked == 1 else 'were'}"
    advice = "ask for fewer, or wait until they end" if free else "wait until one ends"
    body = ErrorBody(
        message=f"{texts} asked for, and this client may have {free} more: "
        f"it has {most - free} of {most} running or waiting; {advice}",
        type="rate_limit_error",
        code="too_many_streams",
    )
    return ApiError(429, body, headers={"Retry-After": str(RETRY_AFTER_S)})
