"""What the bodies of all routes have in common: null means left out, errors name the field.

Knows nothing of Flask.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from model.errors import ParameterError, shortened
from model.parameters import MAX_STOPS, StopString

MAX_CHOICES = 16  # texts for one prompt

B = TypeVar("B", bound=BaseModel)

# What `one_or_many` takes; the document of the interface says so.
Stops = StopString | Annotated[tuple[StopString, ...], Field(max_length=MAX_STOPS)]


def given(content: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that were given a value."""
    return {name: value for name, value in content.items() if value is not None}


def unknown_fields(content: Mapping[str, Any], body: type[BaseModel]) -> list[str]:
    """The names that `body` has no field for, in the order in which they came."""
    return [name for name in content if name not in body.model_fields]


def require_known_fields(content: Mapping[str, Any], body: type[BaseModel]) -> None:
    """Raises ParameterError for the first field that `body` does not have."""
    for name in unknown_fields(content, body):
        allowed = ", ".join(sorted(body.model_fields))
        raise ParameterError(shortened(name)[1:-1], f"no such field; allowed: {allowed}")


def strictly(body: type[B], content: Mapping[str, Any]) -> B:
    """The request that a JSON object asks for. Raises ParameterError, which names the field."""
    require_known_fields(content, body)
    try:
        return body.model_validate(given(content))
    except ValidationError as error:
        raise ParameterError.from_validation(error) from error


def one_or_many(value: object) -> object:
    """A stop string by itself stands for a list of one."""
    return (value,) if isinstance(value, str) else value


def whole_characters(text: str) -> str:
    """The text itself. Raises ValueError where UTF-8 could not write it."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"holds half a surrogate pair at character {error.start}") from error
    return text
