"""OpenAPI 3.1 document of the application's routes, each with its description.

A route without a description is left out; a test finds it.
"""

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask
from pydantic import BaseModel, TypeAdapter

from service.access.route_flags import has_flag
from service.api.resuming import Resumable
from service.error_answers import ErrorAnswer
from service.openapi import headers
from service.openapi.error_catalogue import (
    UNEXPECTED,
    ErrorSpec,
    by_status,
    has_keys,
    of_access,
    schema_of,
)
from service.openapi.operations import OPERATIONS, TAGS
from service.openapi.request_schemas import as_read, example_within
from service.openapi.spec_model import EVENTS, JSON, Example, MediaType, Operation
from service.settings import Settings
from service.version import installed_version

REF = "#/components/schemas/{model}"
ABOUT = """\
Character language models for poetry, served as a stream of text.

Every error has one shape, `{"error": {"message", "type", "param", "code"}}`. In bodies `null` means
left out, and integers are written without a fraction. Every answer has `X-Request-Id`. GET routes
answer HEAD too, and all routes OPTIONS. A path that is not there is answered with 404 `not_found`,
another method with 405 `method_not_allowed` and `Allow`.

What is refused before a route is looked for has the shape, but no `X-Request-Id`: 400
`malformed_request` (it is no HTTP/1.1 with a Host), 408 `request_timeout` (it came too slowly), 414
`request_line_too_long`, 417 `expectation_failed`, 431 `head_too_long`, 501
`unsupported_transfer_encoding` (other than chunked) and 503 `crowded` (too many connections, or
too much is being sent at once).

This document is of this service as it is set: its bounds, keys and limits."""
KEY_HELP = "One of the keys that this service was given."
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": KEY_HELP},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": KEY_HELP},
}

Route = tuple[str, str, str, Operation]  # method, pattern, endpoint, and its description


def document_of(app: Flask, settings: Settings) -> dict[str, Any]:
    """OpenAPI document of an application, as its service is set."""
    described_routes = list(routes(app))
    paths: dict[str, Any] = {}
    for method, pattern, endpoint, operation in described_routes:
        view = app.view_functions[endpoint]
        paths.setdefault(template(pattern), {})[method.lower()] = described(
            operation,
            settings,
            is_public=has_flag(view, "is_public"),
            is_counted=method == "POST" and not has_flag(view, "is_uncounted"),
            takes_several=has_flag(view, "num_texts"),
        )
    return {
        "openapi": "3.1.1",
        "info": {"title": "Strophe", "version": installed_version(), "description": ABOUT},
        "tags": [{"name": name, "description": meaning} for name, meaning in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas((operation for *_, operation in described_routes), settings),
            "headers": headers.components(),
            "parameters": {
                "RequestId": headers.REQUEST_ID,
                "LastEventId": headers.LAST_EVENT_ID,
            },
            "securitySchemes": SECURITY,
        },
    }


def routes(app: Flask) -> Iterator[Route]:
    """Yield each route of the application that has a description, in the descriptions' order."""
    there = {
        (method, rule.rule): rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    for (method, pattern), operation in OPERATIONS.items():
        if (endpoint := there.get((method, pattern))) is not None:
            yield method, pattern, endpoint, operation


def template(pattern: str) -> str:
    """Path template of OpenAPI from a route's pattern of Flask."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern)


def described(
    operation: Operation,
    settings: Settings,
    *,
    is_public: bool,
    is_counted: bool,
    takes_several: bool,
) -> dict[str, Any]:
    """Operation object of one method of one route."""
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": parameters(operation),
    }
    if operation.body is not None:
        found["requestBody"] = request_body(operation.body, operation.examples, settings)
    of_access_ = of_access(
        settings, is_public=is_public, is_counted=is_counted, takes_several=takes_several
    )
    found["responses"] = {
        **answers(operation, settings, is_counted=is_counted),
        **errors([*operation.errors, *of_access_, UNEXPECTED], settings),
    }
    # An empty list: no key is asked for, which tools show as an open lock.
    is_closed = has_keys(settings) and not is_public
    found["security"] = [{name: []} for name in SECURITY] if is_closed else []
    return found


def parameters(operation: Operation) -> list[dict[str, Any]]:
    """Parameter objects: those of the path, and the headers that the route takes."""
    of_path: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": meaning,
            "schema": {"type": "string", "minLength": 1},
        }
        for name, meaning in operation.path_parameters.items()
    ]
    names = ["RequestId"]
    if operation.body is not None and issubclass(operation.body, Resumable):
        names.append("LastEventId")
    return [*of_path, *({"$ref": f"#/components/parameters/{name}"} for name in names)]


def request_body(
    body: type[BaseModel], examples: Iterable[Example], settings: Settings
) -> dict[str, Any]:
    """Request body object: a reference to the body's schema, and the examples."""
    by_title = {
        example.title: {"value": example_within(example.body, settings)}
        | ({} if example.accept is None else {"x-accept": example.accept})
        for example in examples
    }
    schema = {"$ref": REF.format(model=body.__name__)}
    return {"required": True, "content": {JSON: {"schema": schema, "examples": by_title}}}


def answers(operation: Operation, settings: Settings, *, is_counted: bool) -> dict[str, Any]:
    """Response objects of answers that are no errors, by status, with all their content types."""
    found: dict[str, Any] = {}
    for media in operation.answers:
        answer = found.setdefault(
            str(media.status),
            {
                "description": HTTPStatus(media.status).phrase,
                "headers": headers.of_answer(operation.headers, settings, is_counted=is_counted),
            },
        )
        if media.content_type is None:
            answer["description"] = media.description
        else:
            answer.setdefault("content", {})[media.content_type] = {"schema": answer_schema(media)}
    for answer in found.values():
        if len(answer.get("content", ())) == 1:
            only = next(iter(answer["content"].values()))
            answer["description"] = only["schema"].pop("description")
    return found


def answer_schema(media: MediaType) -> dict[str, Any]:
    """Schema of an answer in one content type; for an event stream, of each event, as in 3.2."""
    words = {"description": media.description}
    if media.model is None:
        return {"type": "object" if media.content_type == JSON else "string", **words}
    ref = {"$ref": REF.format(model=media.model.__name__)}
    if media.content_type != EVENTS:
        return {**ref, **words}
    payload = {"contentMediaType": JSON, "contentSchema": ref}
    return {
        **words,
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {"type": "string", "anyOf": [{"const": "[DONE]"}, payload]},
            "id": {"type": "string", "description": "what Last-Event-ID goes on from"},
            "event": {"const": "message", "description": "what an event without a name is"},
        },
        "additionalProperties": False,
    }


def errors(of_operation: Iterable[ErrorSpec], settings: Settings) -> dict[str, Any]:
    """Response objects of errors, by status, with their codes and headers."""
    found = {}
    for status, specs in by_status(of_operation).items():
        names = dict.fromkeys(name for spec in specs for name in spec.headers)
        causes = "; ".join(
            f"`{spec.code}`: {spec.when}" if spec.code else spec.when for spec in specs
        )
        found[str(status)] = {
            "description": causes,
            "headers": headers.of_answer(names, settings, is_counted=False),
            "content": {JSON: {"schema": schema_of(specs)}},
        }
    return found


def schemas(operations: Iterable[Operation], settings: Settings) -> dict[str, Any]:
    """Schemas of every model that an operation refers to, and of those that they refer to."""
    bodies: dict[str, type[BaseModel]] = {}
    models: dict[str, type] = {ErrorAnswer.__name__: ErrorAnswer}
    for operation in operations:
        if operation.body is not None:
            bodies[operation.body.__name__] = operation.body
        models |= {media.model.__name__: media.model for media in operation.answers if media.model}
    _, defined = TypeAdapter.json_schemas(
        [(name, "validation", TypeAdapter(model)) for name, model in (bodies | models).items()],
        ref_template=REF,
    )
    found: dict[str, Any] = {
        name: without_titles(schema) for name, schema in defined["$defs"].items()
    }
    return found | {name: as_read(model, found[name], settings) for name, model in bodies.items()}


def without_titles(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove from a schema the titles that pydantic makes of names."""
    bare = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in bare:
        bare["properties"] = {
            name: {key: value for key, value in field.items() if key != "title"}
            for name, field in bare["properties"].items()
        }
    return bare
