"""CORS: which web pages may call the service from a browser; answers to preflight requests.

Ours instead of Flask-CORS, which reads an origin with an IPv6 address as a regular expression
and leaves `Vary` out where an origin is refused. No cookies and so no credentials: a page that
may call still needs a key where there are keys.
"""

from flask import Flask, Response, current_app, request

from service.error_answers import ApiError, ErrorBody
from service.timeouts import PREFLIGHT_VALID_S

EVERY = "*"
EXPOSED = (
    "X-Request-Id",
    "Retry-After",
    "X-Strophe-Id",
    "X-Strophe-Model",
    "X-Strophe-Fingerprint",
    "X-Strophe-Seed",
    "X-Strophe-Replica",
    "X-Strophe-Ignored-Fields",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
)


def allow_origins(app: Flask, origins: tuple[str, ...]) -> None:
    """Let pages from `origins` call every route and read every response, errors included."""

    @app.before_request
    def answer_preflight() -> Response | None:
        if not is_preflight():
            return None
        if allowed_origin(origins) is None:
            raise origin_refused()
        return preflight_response()

    @app.after_request
    def allow(response: Response) -> Response:
        if EVERY not in origins:
            response.vary.add("Origin")
        if (origin := allowed_origin(origins)) is not None:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = ", ".join(EXPOSED)
        return response


def is_preflight() -> bool:
    """True for a CORS preflight request. OPTIONS without these headers is one like others."""
    asks = "Origin" in request.headers and "Access-Control-Request-Method" in request.headers
    return request.method == "OPTIONS" and asks


def allowed_origin(origins: tuple[str, ...]) -> str | None:
    """Origin to name as allowed in the response; None when the request's page may not call."""
    if EVERY in origins:
        return EVERY
    origin = request.headers.get("Origin")
    return origin if origin in origins else None


def preflight_response() -> Response:
    """Response to a preflight of an allowed page.

    Any header may be sent: clients send dozens of their own, and none of them opens anything.
    """
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = ", ".join(methods_in_use())
    if (wanted := request.headers.get("Access-Control-Request-Headers")) is not None:
        response.headers["Access-Control-Allow-Headers"] = wanted
    response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_VALID_S)
    return response


def methods_in_use() -> list[str]:
    """Methods of all routes, so that a preflight does not tell which routes there are."""
    return sorted({m for rule in current_app.url_map.iter_rules() for m in rule.methods or ()})


def origin_refused() -> ApiError:
    """Error 403 for a developer who looks why the browser does not let the page call."""
    message = "pages from this origin may not call here: STROPHE_CORS_ORIGINS does not name it"
    return ApiError(403, ErrorBody(message=message, code="origin_not_allowed"))
