"""Rate limits: how many texts a client may ask for in a time; a request counts as its texts."""

import math
import time

from flask import Flask, Response, g
from limits import RateLimitItem

from model.count_in_words import counted
from service.access.client_identity import client_id
from service.access.rate_counter import RateCounter, Taken
from service.access.route_flags import is_counted
from service.access.text_counts import num_texts, require_at_most
from service.error_answers import ApiError, ErrorBody


def limit_rates(app: Flask, rates: str, storage: str) -> None:
    """Let each client ask for as many texts as `rates` says, such as `60/minute;1000/hour`."""
    counter = RateCounter(rates, storage)

    @app.before_request
    def count() -> None:
        if not is_counted():
            return
        require_at_most(counter.smallest.amount, f"the rate limit of {in_words(counter.smallest)}")
        g.taken = counter.take(client_id(), num_texts())
        if g.taken.refusing:
            raise rate_exceeded(g.taken, num_texts())

    @app.after_request
    def tell_rate(response: Response) -> Response:
        if (taken := g.get("taken")) is not None:
            response.headers.update(rate_headers(taken))
        return response


def rate_exceeded(taken: Taken, asked: int) -> ApiError:
    """Error 429 that says what was asked, what is left, and how many seconds to wait."""
    window = taken.decisive
    seconds = max(1, math.ceil(window.ends_at - time.time()))
    rate, wait = in_words(window.rate), f"wait {counted(seconds, 'second')}"
    message = f"the rate limit of {rate} is used up; {wait}"
    if window.left:
        left = f"{window.left:,} of {rate} {'is' if window.left == 1 else 'are'} left"
        message = f"{counted(asked, 'text')} were asked for, {left}; ask for fewer, or {wait}"
    body = ErrorBody(
        message=message,
        type="rate_limit_error",
        code="rate_limit_exceeded",
    )
    return ApiError(429, body, headers={"Retry-After": str(seconds)})


def in_words(rate: RateLimitItem) -> str:
    """Rate in words: `3 texts per hour`, `1 text per 10 seconds`."""
    unit = rate.GRANULARITY.name
    span = unit if rate.multiples == 1 else counted(rate.multiples, unit)
    return f"{counted(rate.amount, 'text')} per {span}"


def rate_headers(taken: Taken) -> dict[str, str]:
    """X-RateLimit headers: texts of the window that refused, else of the shortest one."""
    window = taken.decisive
    return {
        "X-RateLimit-Limit": str(window.rate.amount),
        "X-RateLimit-Remaining": str(window.left),
        "X-RateLimit-Reset": str(math.ceil(window.ends_at)),
    }
