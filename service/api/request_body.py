"""A request body becomes a JSON object, or an error that says what is wrong with it.

The body is read as JSON whatever its Content-Type says: `curl -d` without a header calls it a
form. Stricter than the json module: no NaN or Infinity, no key twice.
"""

import json
from collections import Counter
from typing import Any, NoReturn

from flask import Request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]

from model.errors import shortened
from service.errors import ApiError, bad_request


def json_object(request: Request) -> dict[str, Any]:
    """The object that the body holds. Raises ApiError."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise bad_request(
            f"a body with Content-Encoding {shortened(encoding)} is not accepted, send it plain",
            status=415,
            code="unsupported_encoding",
        )
    content = _parsed(_text(_received(request)))
    if not isinstance(content, dict):
        raise _invalid(f"the body must be a JSON object, got {type(content).__name__}")
    return content


def _received(request: Request) -> bytes:
    try:
        raw = request.get_data(cache=False)
    except (ParseException, OSError) as error:
        raise _invalid("the body's chunks cannot be read") from error
    if request.content_length is not None and len(raw) < request.content_length:
        raise _invalid("the body is shorter than its Content-Length")
    return raw


def _text(raw: bytes) -> str:
    if not raw.strip():
        raise _invalid('the body is empty, send a JSON object such as {"prompt": "..."}')
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _invalid(f"the body is not UTF-8 at byte {error.start}") from error


def _parsed(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except RecursionError as error:
        raise _invalid("the body is nested too deeply") from error
    except ValueError as error:
        raise _invalid(f"the body is not JSON: {error}") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name in content if counts[name] > 1)
        raise ValueError(f"the key {shortened(twice)} is there twice")
    return content


def _invalid(message: str) -> ApiError:
    return bad_request(message, code="invalid_json")
