"""Rate limits: how often a client may send what makes work, by Flask-Limiter.

Where the storage is lost the counts go on in this process, and back when it is there again.
"""

import math
import time

from flask import Flask, Response
from flask_limiter import Limiter, RateLimitExceeded
from limits import parse_many
from limits.errors import StorageError

from service.access.client_identity import client_id
from service.access.route_flags import is_counted
from service.error_answers import ApiError, ErrorBody
from service.timeouts import RATE_STORAGE_TIMEOUT_S

STORAGE_OPTIONS: dict[str, str | int] = {
    "socket_connect_timeout": RATE_STORAGE_TIMEOUT_S,
    "socket_timeout": RATE_STORAGE_TIMEOUT_S,
    "wrap_exceptions": True,
}


def limit_rates(app: Flask, limits: str, storage: str) -> None:
    """Let each client send as many requests as `limits` says, such as `60/minute;1000/hour`."""
    limiter = Limiter(
        client_id,
        application_limits=[limits],
        application_limits_exempt_when=lambda: not is_counted(),
        strategy="fixed-window",  # one number a client, and the time to come back is exact
        storage_uri=storage,
        storage_options=STORAGE_OPTIONS if not storage.startswith("memory:") else {},
        key_prefix="strophe",
        in_memory_fallback_enabled=True,
        swallow_errors=True,  # of those that were on their way to the storage when it was lost
        # Not its headers: it would write Retry-After on every answer, and over that of a 503.
        headers_enabled=False,
    )
    limiter.init_app(app)

    @app.errorhandler(RateLimitExceeded)
    def refuse(error: RateLimitExceeded) -> Response:
        refusal = rate_exceeded(error, wait_s(limiter, limits))
        return app.make_response(app.handle_user_exception(refusal))

    @app.after_request
    def tell_rate(response: Response) -> Response:
        response.headers.update(rate_headers(limiter))
        return response


def rate_exceeded(error: RateLimitExceeded, seconds: int) -> ApiError:
    """Error 429 that says in how many seconds to come back, however long that is."""
    body = ErrorBody(
        message=f"the rate limit of {error.limit.limit} is used up, come back in {seconds} s",
        type="rate_limit_error",
        code="rate_limit_exceeded",
    )
    return ApiError(429, body, headers={"Retry-After": str(seconds)})


def wait_s(limiter: Limiter, limits: str) -> int:
    """Seconds, whole and at least 1, until no limit of this client is used up."""
    if (current := limiter.current_limit) is None:
        return 1
    try:
        stats = [
            limiter.limiter.get_window_stats(limit, *current.request_args)
            for limit in parse_many(limits)
        ]
    except StorageError:
        return 1
    resets = [stat.reset_time for stat in stats if stat.remaining == 0]
    return max(1, math.ceil(max(resets, default=0.0) - time.time()))


def rate_headers(limiter: Limiter) -> dict[str, str]:
    """X-RateLimit headers of the limit that is used up, else of the one of shortest window."""
    if (current := limiter.current_limit) is None:
        return {}
    try:
        stats = current.window
    except StorageError:
        return {}
    return {
        "X-RateLimit-Limit": str(current.limit.amount),
        "X-RateLimit-Remaining": str(stats.remaining),
        "X-RateLimit-Reset": str(math.ceil(stats.reset_time)),
    }
