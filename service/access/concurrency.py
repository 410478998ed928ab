"""How many requests of one client run or wait at once, in this process."""

import threading
from collections import Counter
from dataclasses import dataclass

from flask import Flask, Response, g

from service.access.identity import client_id
from service.access.route_flags import is_counted
from service.errors import RETRY_AFTER_S, ApiError, ErrorBody

# A client that has read the end of an answer may be back before its place is free.
HAND_OVER_S = 0.1


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """One running request of a client; equal to itself alone."""

    client: str


class Crowd:
    """Who is inside. Clients that have nothing running take no memory."""

    def __init__(self, most: int, hand_over_s: float = HAND_OVER_S) -> None:
        self._most = most
        self._hand_over_s = hand_over_s
        self._changed = threading.Condition()
        self._inside: dict[str, set[Place]] = {}
        self._at_the_door: Counter[str] = Counter()

    def enter(self, client: str) -> Place | None:
        """A place for one more request; None when the client has as many as it may."""
        with self._changed:
            if not self._has_room(client) and not self._room_comes(client):
                return None
            self._inside.setdefault(client, set()).add(place := Place(client))
            return place

    def leave(self, place: Place) -> None:
        """The request has ended; may be said twice."""
        with self._changed:
            places = self._inside.get(place.client, set())
            places.discard(place)
            if not places:
                self._inside.pop(place.client, None)
            self._changed.notify_all()

    def _has_room(self, client: str) -> bool:
        return len(self._inside.get(client, ())) < self._most

    def _room_comes(self, client: str) -> bool:
        """Whether it does within a moment; more than can leave do not wait."""
        if self._at_the_door[client] >= self._most:
            return False
        self._at_the_door[client] += 1
        has_come = self._changed.wait_for(lambda: self._has_room(client), self._hand_over_s)
        self._at_the_door[client] -= 1
        if not self._at_the_door[client]:
            del self._at_the_door[client]
        return has_come


def limit_streams(app: Flask, most: int) -> None:
    """Let each client have `most` requests at once."""
    crowd = Crowd(most)

    @app.before_request
    def enter() -> None:
        if is_counted():
            g.place = crowd.enter(client_id())
            if g.place is None:
                raise refusal(most)

    @app.after_request
    def leave_at_the_end(response: Response) -> Response:
        place: Place | None = g.get("place")
        if place is not None:
            response.call_on_close(lambda: crowd.leave(place))
        return response


def refusal(most: int) -> ApiError:
    """When one of them ends is not known: come back soon."""
    body = ErrorBody(
        message=f"{most} requests of this client run or wait already, which is all it may have",
        type="rate_limit_error",
        code="too_many_streams",
    )
    return ApiError(429, body, headers={"Retry-After": str(RETRY_AFTER_S)})
