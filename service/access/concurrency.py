"""Concurrency limit: how many requests of one client may run or wait at once, in this process."""

import threading
from collections import Counter
from dataclasses import dataclass

from flask import Flask, Response, g

from service.access.client_identity import client_id
from service.access.route_flags import is_counted
from service.error_answers import ApiError, ErrorBody
from service.timeouts import PERMIT_WAIT_S, RETRY_AFTER_S


@dataclass(frozen=True, eq=False, slots=True)
class Permit:
    """Permit of one running request of a client; equal to itself alone."""

    client: str


class ConcurrencyLimiter:
    """Limiter of the permits that each client holds at once.

    `most` is how many. A request waits at most `wait_s` seconds for a permit that is given
    back. Clients that hold none take no memory.
    """

    def __init__(self, most: int, wait_s: float = PERMIT_WAIT_S) -> None:
        self._most = most
        self._wait_s = wait_s
        self._changed = threading.Condition()  # guards the two below
        self._held: dict[str, set[Permit]] = {}
        self._num_waiting: Counter[str] = Counter()

    def acquire(self, client: str) -> Permit | None:
        """Take a permit for one more request; None when the client holds as many as it may."""
        with self._changed:
            if not self._has_room(client) and not self._wait_for_room(client):
                return None
            self._held.setdefault(client, set()).add(permit := Permit(client))
            return permit

    def release(self, permit: Permit) -> None:
        """Give a permit back: its request has ended. May be called twice."""
        with self._changed:
            permits = self._held.get(permit.client, set())
            permits.discard(permit)
            if not permits:
                self._held.pop(permit.client, None)
            self._changed.notify_all()

    def _has_room(self, client: str) -> bool:
        return len(self._held.get(client, ())) < self._most

    def _wait_for_room(self, client: str) -> bool:
        """Wait a moment for a permit; False without one. More than can be given do not wait."""
        if self._num_waiting[client] >= self._most:
            return False
        self._num_waiting[client] += 1
        has_room = self._changed.wait_for(lambda: self._has_room(client), self._wait_s)
        self._num_waiting[client] -= 1
        if not self._num_waiting[client]:
            del self._num_waiting[client]
        return has_room


def limit_concurrency(app: Flask, most: int) -> None:
    """Let each client have `most` requests at once; `g.permit` is held until its response ends."""
    limiter = ConcurrencyLimiter(most)

    @app.before_request
    def acquire() -> None:
        if is_counted():
            g.permit = limiter.acquire(client_id())
            if g.permit is None:
                raise concurrency_exceeded(most)

    @app.after_request
    def release_at_the_end(response: Response) -> Response:
        permit: Permit | None = g.get("permit")
        if permit is not None:
            response.call_on_close(lambda: limiter.release(permit))
        return response


def concurrency_exceeded(most: int) -> ApiError:
    """Error 429 without a time: when one of the client's requests ends is not known."""
    body = ErrorBody(
        message=f"{most} requests of this client run or wait already, which is all it may have",
        type="rate_limit_error",
        code="too_many_streams",
    )
    return ApiError(429, body, headers={"Retry-After": str(RETRY_AFTER_S)})
