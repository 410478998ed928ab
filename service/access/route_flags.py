"""What a route says of itself: everything is closed and every POST counts, unless marked.

A mark is an attribute of the view function, so it stands at the route, below its decorator.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import current_app, request

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view that answers also to who has no key."""
    vars(view)["is_public"] = True
    return view


def uncounted(view: View) -> View:
    """Mark a view whose POST makes no work, so that no limit counts it."""
    vars(view)["is_uncounted"] = True
    return view


def is_public() -> bool:
    """Whether this request's route is marked so; what has no route is not."""
    return _is_marked("is_public")


def is_counted() -> bool:
    """Whether this request makes work that limits are there for."""
    is_work = request.method == "POST" and request.endpoint is not None
    return is_work and not _is_marked("is_uncounted")


def _is_marked(name: str) -> bool:
    return has_mark(current_app.view_functions.get(request.endpoint or ""), name)


def has_mark(view: Callable[..., Any] | None, name: str) -> bool:
    """Whether a view says of itself `is_public` or `is_uncounted`."""
    return getattr(view, name, False)
