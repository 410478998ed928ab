"""Request ids: X-Request-Id in every answer and in the log, the client's own or a new one.

What a request starts in the engine has an id of its own (`service.api.jobs`), made by `new_id`:
whoever knows that may cancel, so it must not be guessed, and two clients may not choose the same.
It names the replica that made it, where replicas have names, since only that one can cancel it.
"""

import re
import uuid

from flask import Flask, Response, g, request

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")
OF_REPLICA = re.compile(r"[a-z]+-([A-Za-z0-9._-]{1,64})-[0-9a-f]{32}")


def new_id(prefix: str, replica: str | None = None) -> str:
    """Random id that cannot be guessed: the prefix, the replica if it has a name, 32 hex digits."""
    return "-".join([prefix, *([] if replica is None else [replica]), uuid.uuid4().hex])


def replica_of(made: str) -> str | None:
    """Name of the replica that made an id; None where it is without one, or no id of ours."""
    found = OF_REPLICA.fullmatch(made)
    return None if found is None else found[1]


def name_requests(app: Flask) -> None:
    """Set `g.request_id` of every request, and its answer's header X-Request-Id."""

    @app.before_request
    def name_request() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if SANE.fullmatch(given) else new_id("req")

    @app.after_request
    def tell_name(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        return response
