"""Request bodies: from received bytes to a JSON object, and from that to a schema's checked fields.

The body is read as JSON whatever its Content-Type says: `curl -d` without a header calls it a
form. Stricter than the json module: no NaN or Infinity, no key twice. In the fields null means
left out, and every error names its field.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NoReturn, TypeVar

from flask import Request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException

from model.errors import ParameterError, shortened
from model.parameters import MAX_STOPS, StopString
from model.validation import validated_fields
from service.error_answers import ApiError, bad_request

READ = "strophe.body"  # of a request's environment: what was read of its body before its route
MAX_CHOICES = 16  # texts for one prompt
# Ignored fields go into a header, which has no room for whatever a client may send.
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
MAX_IGNORED_NAMES = 16

B = TypeVar("B", bound=BaseModel)

TokenId = Annotated[int, Field(ge=0)]
# What `one_or_many` takes; the OpenAPI document says so.
Stops = StopString | Annotated[tuple[StopString, ...], Field(max_length=MAX_STOPS)]


def json_object(request: Request) -> dict[str, Any]:
    """JSON object of a request's body. Raises ApiError, which says what is wrong with the body."""
    read = request.environ.pop(READ, None)
    if isinstance(read, Exception):
        raise read
    return _read(request) if read is None else read


def peeked_object(request: Request) -> dict[str, Any]:
    """JSON object that `json_object` will give, or raises what that will raise."""
    try:
        content = _read(request)
    except (ApiError, HTTPException) as error:
        request.environ[READ] = error
        raise
    request.environ[READ] = content
    return content


def _read(request: Request) -> dict[str, Any]:
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
    except ParseException as error:
        raise _invalid("the body's chunks cannot be read") from error
    except OSError as error:
        raise _invalid("the body ends before its Content-Length or its last chunk") from error
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


def given(content: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a JSON object that have a value other than null."""
    return {name: value for name, value in content.items() if value is not None}


def unknown_fields(content: Mapping[str, Any], schema: type[BaseModel]) -> list[str]:
    """Names in a JSON object that `schema` has no field for, in the order in which they came."""
    return [name for name in content if name not in schema.model_fields]


def ignored_fields_header(names: Iterable[str]) -> dict[str, str]:
    """Header that names fields of a body that were left aside; none where there were none."""
    shown = [name for name in names if FIELD_NAME.fullmatch(name)][:MAX_IGNORED_NAMES]
    return {"X-Strophe-Ignored-Fields": ",".join(shown)} if shown else {}


def require_known_fields(content: Mapping[str, Any], schema: type[BaseModel]) -> None:
    """Refuse a JSON object with a field that `schema` does not have. Raises ParameterError."""
    for name in unknown_fields(content, schema):
        allowed = ", ".join(sorted(schema.model_fields))
        raise ParameterError(shortened(name)[1:-1], f"no such field; allowed: {allowed}")


def validated(schema: type[B], content: Mapping[str, Any]) -> B:
    """Instance of `schema` from a JSON object; whether it may hold other fields is the schema's.

    Raises ParameterError, which names the field.
    """
    if schema.model_config.get("extra") == "forbid":
        require_known_fields(content, schema)
    return validated_fields(schema, given(content))


def require_whole_characters(content: Mapping[str, Any]) -> None:
    """Refuse a JSON object with half a surrogate pair anywhere. Raises ParameterError."""
    for name, value in content.items():
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ParameterError(name, "holds half a surrogate pair") from error


def one_or_many(value: object) -> object:
    """Tuple of stop strings; a string by itself stands for a tuple of one."""
    return (value,) if isinstance(value, str) else value


def whole_characters(text: str) -> str:
    """Check that UTF-8 can write a text, and give it. Raises ValueError for half surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"holds half a surrogate pair at character {error.start}") from error
    return text
