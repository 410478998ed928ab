"""Text counts: how many texts a request asks for, which is what limits count it as.

A route whose POST may ask for several says so at its view; every other request counts as one.
"""

from collections.abc import Callable

from flask import g
from werkzeug.exceptions import HTTPException

from model.errors import ParameterError
from service.access.route_flags import View, current_view
from service.error_answers import ApiError, bad_request


def counted_as(count: Callable[[], int]) -> Callable[[View], View]:
    """Flag a view whose POST asks for `count()` texts, as the current request's body says.

    `count` may raise ApiError, HTTPException or ParameterError for what the route will refuse.
    """

    def flag(view: View) -> View:
        vars(view)["num_texts"] = count
        return view

    return flag


def num_texts() -> int:
    """Count of texts that the current request asks for; 1 for what its route will refuse."""
    if "num_texts" not in g:
        g.num_texts = _counted()
    count: int = g.num_texts
    return count


def _counted() -> int:
    count: Callable[[], int] = getattr(current_view(), "num_texts", lambda: 1)
    try:
        return count()
    except (ApiError, HTTPException, ParameterError):
        return 1


def require_at_most(most: int, limit: str) -> None:
    """Refuse a request for more texts than `limit` ever lets through. Raises ApiError."""
    if (asked := num_texts()) > most:
        raise bad_request(
            f"{asked} texts were asked for at once, and {limit} never lets through more "
            f"than {most}; ask for fewer",
            param="n",
            code="too_many_texts",
        )
