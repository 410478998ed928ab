"""The one shape of every error answer: {"error": {"message", "type", "param", "code"}}.

What a client can cause is a 4xx that says what to change; what it cannot is a 5xx that says
nothing of the inside. The last handler here is the supervised border of the HTTP side.
"""

from dataclasses import dataclass
from typing import Any

import structlog
from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from model.errors import ParameterError
from service.api.jobs import ClientGoneError
from service.engine.failure import Failure, RequestFailedError, SaturatedError, UnavailableError

RETRY_AFTER_S = 1
MAX_MESSAGE = 400
CLIENT_CLOSED_REQUEST = 499  # nginx's number; nobody is there to read it


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """What an error says. `param` is the field to change, `code` is for programs."""

    message: str
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The answer's one member, bounded whatever the client had sent."""
        return {
            "error": {
                "message": _bounded(self.message),
                "type": self.type,
                "param": None if self.param is None else _bounded(self.param),
                "code": self.code,
            }
        }


def _bounded(text: str) -> str:
    """Short, and without the half surrogates that a client may have sent and UTF-8 cannot."""
    text = text if len(text) <= MAX_MESSAGE else text[:MAX_MESSAGE] + "..."
    return text.encode("utf-8", "backslashreplace").decode()


class ApiError(Exception):
    """An answer other than success."""

    def __init__(
        self, status: int, body: ErrorBody, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(body.message)
        self.status = status
        self.body = body
        self.headers = headers if headers is not None else {}

    def as_response(self) -> Response:
        """The whole answer."""
        response = jsonify(self.body.as_json())
        response.status_code = self.status
        response.headers.update(self.headers)
        return response


def bad_request(
    message: str, *, param: str | None = None, code: str | None = None, status: int = 400
) -> ApiError:
    """A request that must be changed before it is sent again."""
    return ApiError(status, ErrorBody(message=message, param=param, code=code))


def busy(message: str, code: str) -> ApiError:
    """A request that may succeed later, just as it is."""
    body = ErrorBody(message=message, type="overloaded_error", code=code)
    return ApiError(503, body, headers={"Retry-After": str(RETRY_AFTER_S)})


def failure_body(failure: Failure) -> ErrorBody:
    """How a failed request is told, as an answer or in a stream."""
    kind = "overloaded_error" if failure is Failure.STOPPING else "server_error"
    return ErrorBody(message=failure.value, type=kind, code=failure.name.lower())


def register_error_handlers(app: Flask) -> None:
    """Every exception of every route becomes the one shape."""
    app.register_error_handler(ApiError, ApiError.as_response)
    app.register_error_handler(ParameterError, _parameter_error)
    app.register_error_handler(SaturatedError, _saturated)
    app.register_error_handler(UnavailableError, _unavailable)
    app.register_error_handler(RequestFailedError, _request_failed)
    app.register_error_handler(ClientGoneError, _client_gone)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _parameter_error(error: ParameterError) -> Response:
    return bad_request(str(error), param=error.field or None, code="invalid_value").as_response()


def _saturated(_: SaturatedError) -> Response:
    return busy("all slots are taken and the queue is full", "saturated").as_response()


def _unavailable(error: UnavailableError) -> Response:
    return busy(str(error), "unavailable").as_response()


def _request_failed(error: RequestFailedError) -> Response:
    if error.failure is Failure.STOPPING:
        return busy(error.failure.value, "stopping").as_response()
    body = failure_body(error.failure)
    if error.failure is Failure.TIMEOUT:
        # OpenAI's clients would send it twice more, to take as long again.
        return ApiError(504, body, headers={"X-Should-Retry": "false"}).as_response()
    return ApiError(500, body).as_response()


def _client_gone(_: ClientGoneError) -> Response:
    return ApiError(CLIENT_CLOSED_REQUEST, ErrorBody(message="the client has gone")).as_response()


def _http_error(error: HTTPException) -> Response:
    status = error.code if error.code is not None else 500
    kind = "invalid_request_error" if status < 500 else "server_error"
    # Werkzeug's name and not HTTPStatus': Python 3.13 has renamed some, and codes must stay.
    body = ErrorBody(
        message=error.description or error.name,
        type=kind,
        code=error.name.lower().replace(" ", "_"),
    )
    # Of the exception's own headers only these still fit an answer in JSON.
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Location")}
    return ApiError(status, body, headers=kept).as_response()


def _unexpected(error: Exception) -> Response:
    structlog.get_logger().error("unexpected_error", exc_info=error)
    body = ErrorBody(message="the service failed on this request", type="server_error")
    return ApiError(500, body).as_response()
