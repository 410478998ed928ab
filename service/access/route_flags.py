"""Route flags: every route needs a key and every POST counts for limits, unless flagged.

A flag is an attribute of the view function, so it stands at the route, below its decorator.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Flag a view that needs no API key."""
    vars(view)["is_public"] = True
    return view


def uncounted(view: View) -> View:
    """Flag a view whose POST makes no work, so that no limit counts it."""
    vars(view)["is_uncounted"] = True
    return view


def is_public() -> bool:
    """True for a request whose route is public; a path without a route is not."""
    return _has_flag("is_public")


def is_counted() -> bool:
    """True for a request that makes work, for which rate and concurrency limits are there."""
    is_work = request.method == "POST" and request.endpoint is not None
    return is_work and not _has_flag("is_uncounted")


def current_view() -> Callable[..., Any] | None:
    """View of the current request; None for a path without a route."""
    return current_app.view_functions.get(request.endpoint or "")


def _has_flag(name: str) -> bool:
    return has_flag(current_view(), name)


def has_flag(view: Callable[..., Any] | None, name: str) -> bool:
    """True for a view with the flag `name`: `is_public`, `is_uncounted` or `num_texts`."""
    return bool(getattr(view, name, False))
