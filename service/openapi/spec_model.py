"""What is said of one route: words, models and examples, without what the application knows."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from service.openapi.error_catalogue import Problem

PLAIN = "text/plain"
JSON = "application/json"
EVENTS = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of an answer. `model` is of the JSON, in a stream of each event's."""

    description: str
    content_type: str | None = JSON
    status: int = 200
    model: type[BaseModel] | None = None
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A body to send, and what to accept for it."""

    title: str
    body: dict[str, Any]
    accept: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one route."""

    name: str  # for programs: what a generated client calls its function
    tag: str
    summary: str
    description: str
    forms: tuple[Form, ...]
    body: type[BaseModel] | None = None
    examples: tuple[Example, ...] = ()
    path_parameters: dict[str, str] = field(default_factory=dict)  # with their meaning
    problems: tuple[Problem, ...] = ()
    headers: tuple[str, ...] = ()  # of the answers that are no errors
