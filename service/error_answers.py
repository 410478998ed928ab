"""Error answers of the service: their one shape, {"error": {"message", "type", "param", "code"}}.

What a client can cause is a 4xx that says what to change; what it cannot is a 5xx that says
nothing of the inside. Belongs to all rooms, also to gunicorn's master before the fork, so it knows
nothing of Flask and of the engine: `service.api.error_handlers` maps exceptions to answers.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from service.timeouts import RETRY_AFTER_S

MAX_MESSAGE = 400
CLIENT_CLOSED_REQUEST = 499  # nginx's number; nobody is there to read it


ErrorType = Literal["invalid_request_error", "rate_limit_error", "overloaded_error", "server_error"]

_closed = with_config(ConfigDict(extra="forbid", strict=True))


@_closed
class PartialPoem(TypedDict):
    """Lines of a poem whose form could not be kept to the end."""

    text: str
    seed: Annotated[int, Field(ge=0, description="the same seed fails at the same line")]


@_closed
class ErrorFacts(TypedDict):
    """What went wrong and what would be right."""

    message: Annotated[str, Field(min_length=1)]
    type: ErrorType
    param: Annotated[str | None, Field(description="the field to change")]
    code: Annotated[str | None, Field(description="for programs")]
    partial: NotRequired[
        Annotated[PartialPoem, Field(description="what there is, where the code is form_not_kept")]
    ]


@_closed
class ErrorAnswer(TypedDict):
    """Every error: an answer by itself, or an event in a stream that failed half-way."""

    error: ErrorFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """Body of an error answer: `param` is the field to change, `code` is for programs."""

    message: str
    type: ErrorType = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    partial: PartialPoem | None = None

    def as_json(self) -> ErrorAnswer:
        """JSON object of the answer, of bounded length whatever the client had sent."""
        facts: ErrorFacts = {
            "message": _bounded(self.message),
            "type": self.type,
            "param": None if self.param is None else _bounded(self.param),
            "code": self.code,
        }
        if self.partial is not None:
            facts["partial"] = self.partial
        return {"error": facts}


def _bounded(text: str) -> str:
    """Cut `text`, and escape lone surrogates, which a client may send and UTF-8 cannot encode."""
    text = text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "..."
    return text.encode("utf-8", "backslashreplace").decode()


class ApiError(Exception):
    """HTTP error answer, raised wherever a request is refused: status, body and headers."""

    def __init__(
        self, status: int, body: ErrorBody, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(body.message)
        self.status = status
        self.body = body
        self.headers = headers if headers is not None else {}


def bad_request(
    message: str, *, param: str | None = None, code: str | None = None, status: int = 400
) -> ApiError:
    """Client error (400 unless told otherwise): the request must be changed to succeed."""
    return ApiError(status, ErrorBody(message=message, param=param, code=code))


def busy(message: str, code: str) -> ApiError:
    """503 with Retry-After: the request may succeed later, just as it is."""
    body = ErrorBody(message=message, type="overloaded_error", code=code)
    return ApiError(503, body, headers={"Retry-After": str(RETRY_AFTER_S)})
