"""Request ids: X-Request-Id in every answer and in the log, the client's own or a new one.

What a request starts in the engine has an id of its own (`service.api.jobs`), made by `new_id`:
whoever knows that may cancel, so it must not be guessed, and two clients may not choose the same.
"""

import re
import uuid

from flask import Flask, Response, g, request

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_id(prefix: str) -> str:
    """Random id `<prefix>-<32 hex digits>` that cannot be guessed."""
    return f"{prefix}-{uuid.uuid4().hex}"


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
