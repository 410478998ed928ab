"""Specification of one operation of the API: description, bodies, answers and examples.

Holds what the application itself does not know of its routes; knows nothing of the application.
"""

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from service.openapi.error_catalogue import ErrorSpec

PLAIN = "text/plain"
JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaType:
    """Content type and status of an answer; `model` describes its JSON, or each event's."""

    description: str
    content_type: str | None = JSON
    status: int = 200
    model: type | None = None
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Example of a request body, and the content type to accept for it."""

    title: str
    body: dict[str, Any]
    accept: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Specification of one method of one route: its body, answers, errors and examples."""

    name: str  # for programs: what a generated client calls its function
    tag: str
    summary: str
    description: str
    answers: tuple[MediaType, ...]  # those that are no errors
    body: type[BaseModel] | None = None
    examples: tuple[Example, ...] = ()
    path_parameters: dict[str, str] = field(default_factory=dict)  # with their meaning
    errors: tuple[ErrorSpec, ...] = ()
    headers: tuple[str, ...] = ()  # of the answers that are no errors
