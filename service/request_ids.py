"""Every request has an id, in its answer and in the log: the client's own, or one that is made.

What a request starts in the engine has an id of its own (`service.api.jobs`): whoever knows that
may cancel, so it must not be guessed, and two clients may not choose the same.
"""

import re

from flask import Flask, Response, g, request

from service.api.jobs import new_id

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def name_requests(app: Flask) -> None:
    """`g.request_id` is what the request is called, in its answer too."""

    @app.before_request
    def name_request() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if SANE.fullmatch(given) else new_id("req")

    @app.after_request
    def tell_name(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        return response
