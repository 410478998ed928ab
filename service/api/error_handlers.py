"""Flask error handlers: every exception of a route becomes an answer of the one error shape.

The handler of `Exception` is the supervised end of the HTTP side: it logs the traceback and tells
the client nothing of the inside.
"""

import structlog
from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from model.decoding.resumption import FIELD as RECEIVED
from model.errors import ParameterError
from service.engine.failure import (
    ClientGoneError,
    Failure,
    RequestFailedError,
    SaturatedError,
    UnavailableError,
)
from service.error_answers import (
    CLIENT_CLOSED_REQUEST,
    ApiError,
    ErrorBody,
    ErrorType,
    bad_request,
    busy,
)
from verse.composer.impossible_form import ImpossibleFormError


def error_response(error: ApiError) -> Response:
    """Flask response of an ApiError: its JSON body, status and headers."""
    response = jsonify(error.body.as_json())
    response.status_code = error.status
    response.headers.update(error.headers)
    return response


def failure_body(failure: Failure) -> ErrorBody:
    """Error body of a request that the engine failed, for an answer or within a stream."""
    if failure is Failure.RECEIVED:  # what the client sent is at fault
        return ErrorBody(message=failure.value, param=RECEIVED, code="received_differs")
    kind: ErrorType = "overloaded_error" if failure is Failure.STOPPING else "server_error"
    return ErrorBody(message=failure.value, type=kind, code=failure.name.lower())


def register_error_handlers(app: Flask) -> None:
    """Map every exception of every route of `app` to an error answer."""
    app.register_error_handler(ApiError, error_response)
    app.register_error_handler(ParameterError, _parameter_error)
    app.register_error_handler(ImpossibleFormError, _impossible_form)
    app.register_error_handler(SaturatedError, _saturated)
    app.register_error_handler(UnavailableError, _unavailable)
    app.register_error_handler(RequestFailedError, _request_failed)
    app.register_error_handler(ClientGoneError, _client_gone)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def _parameter_error(error: ParameterError) -> Response:
    return error_response(bad_request(str(error), param=error.field or None, code="invalid_value"))


def _impossible_form(error: ImpossibleFormError) -> Response:
    answer = bad_request(str(error), param=error.field, code="impossible_form", status=422)
    return error_response(answer)


def _saturated(_: SaturatedError) -> Response:
    return error_response(busy("all slots are taken and the queue is full", "saturated"))


def _unavailable(error: UnavailableError) -> Response:
    return error_response(busy(str(error), "unavailable"))


def _request_failed(error: RequestFailedError) -> Response:
    if error.failure is Failure.STOPPING:
        return error_response(busy(error.failure.value, "stopping"))
    body = failure_body(error.failure)
    if error.failure is Failure.TIMEOUT:
        # OpenAI's clients would send it twice more, to take as long again.
        return error_response(ApiError(504, body, headers={"X-Should-Retry": "false"}))
    return error_response(ApiError(409 if error.failure is Failure.RECEIVED else 500, body))


def _client_gone(_: ClientGoneError) -> Response:
    return error_response(ApiError(CLIENT_CLOSED_REQUEST, ErrorBody(message="the client has gone")))


def _http_error(error: HTTPException) -> Response:
    status = error.code if error.code is not None else 500
    kind: ErrorType = "invalid_request_error" if status < 500 else "server_error"
    # Werkzeug's name and not HTTPStatus': Python 3.13 has renamed some, and codes must stay.
    body = ErrorBody(
        message=error.description or error.name,
        type=kind,
        code=error.name.lower().replace(" ", "_"),
    )
    # Of the exception's own headers only these still fit an answer in JSON.
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Location")}
    return error_response(ApiError(status, body, headers=kept))


def _unexpected(error: Exception) -> Response:
    structlog.get_logger().error("unexpected_error", exc_info=error)
    body = ErrorBody(message="the service failed on this request", type="server_error")
    return error_response(ApiError(500, body))
