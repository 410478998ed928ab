"""Every request has an id, in its answer and in the log: the client's own, or one that is made.

What a request starts in the engine has another id, which is always made here: whoever knows it
may cancel, so it must not be guessed, and two clients may not choose the same.
"""

import re
import uuid

from flask import Flask, Response, g, request

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_request_id() -> str:
    """An id that cannot be guessed."""
    return f"req-{uuid.uuid4().hex}"


def name_requests(app: Flask) -> None:
    """`g.request_id` is what the client calls the request, `g.generation_id` what it starts."""

    @app.before_request
    def name_request() -> None:
        g.generation_id = new_request_id()
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if SANE.fullmatch(given) else g.generation_id

    @app.after_request
    def tell_name(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        return response
