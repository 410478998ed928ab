"""Content negotiation: which of some content types an Accept header asks for, by RFC 9110."""

from collections.abc import Collection

from flask import request

from service.error_answers import bad_request

PLAIN, EVENTS, JSON = "text/plain", "text/event-stream", "application/json"
FORMS = (PLAIN, EVENTS, JSON)  # of a text; the first is the default, and what */* gets


def accepted_content_type(offered: Collection[str] = FORMS) -> str:
    """Content type of the response, of the `offered` ones that the request's Accept header allows.

    By RFC 9110: the most specific range that a type is in gives its q, and 0 excludes it. The
    highest q wins; of equal ones the more specifically named, then the first that is offered.
    Raises ApiError, 406.
    """
    if not request.accept_mimetypes:
        return next(iter(offered))
    ranges = {name: most_specific_range(name) for name in offered}
    accepted = {name: found for name, found in ranges.items() if found is not None and found[1] > 0}
    if not accepted:
        raise bad_request(
            f"the answer can be one of {', '.join(offered)}", status=406, code="not_acceptable"
        )
    return max(accepted, key=lambda name: preference(*accepted[name]))


def most_specific_range(content_type: str) -> tuple[str, float] | None:
    """Most specific range of the Accept header that `content_type` is in, with its q.

    Every answer is in UTF-8, so a range may say so; one with another parameter is of other types.
    """
    ranges = request.accept_mimetypes  # the most specific ones first
    found = (ranges.find(name) for name in (content_type, f"{content_type}; charset=utf-8"))
    places = [place for place in found if place >= 0]
    return ranges[min(places)] if places else None


def preference(media_range: str, q: float) -> tuple[float, int, int]:
    """Sort key of a range with its q; the preferred one is the greatest."""
    return q, media_range.count(";"), -media_range.count("*")
