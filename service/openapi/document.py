"""The document: the application's routes, each with its description, in the words of OpenAPI 3.1.

A route without a description is left out; a test finds it.
"""

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.access.route_flags import has_flag
from service.api.response_models import ErrorAnswer
from service.openapi import headers
from service.openapi.error_catalogue import UNEXPECTED, by_status, has_keys, of_access, schema_of
from service.openapi.operations import OPERATIONS, TAGS
from service.openapi.request_schemas import as_read, example_within
from service.openapi.spec_model import EVENTS, JSON, Example, Form, Operation
from service.settings import Settings
from service.version import installed_version

REF = "#/components/schemas/{model}"
ABOUT = """\
Character language models for poetry, served as a stream of text.

Every error has one shape, `{"error": {"message", "type", "param", "code"}}`. In bodies `null` means
left out, and integers are written without a fraction. Every answer has `X-Request-Id`. GET routes
answer HEAD too, and all routes OPTIONS. A path that is not there is answered with 404 `not_found`,
another method with 405 `method_not_allowed` and `Allow`.

What is refused before a route is looked for has the shape, but no `X-Request-Id`: 408
`request_timeout` (the request came too slowly), 431 `head_too_long` and 503 `crowded` (too many
connections, or too much is being sent at once). What is not even HTTP gets a 400 and HTML.

This document is of this service as it is set: its bounds, keys and limits."""
KEY_HELP = "One of the keys that this service was given."
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": KEY_HELP},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": KEY_HELP},
}

Route = tuple[str, str, str, Operation]  # method, pattern, endpoint, and what is said of it


def document_of(app: Flask, settings: Settings) -> dict[str, Any]:
    """The whole document, of this application as it is set."""
    told = list(routes(app))
    paths: dict[str, Any] = {}
    for method, pattern, endpoint, operation in told:
        view = app.view_functions[endpoint]
        paths.setdefault(template(pattern), {})[method.lower()] = described(
            operation,
            settings,
            is_public=has_flag(view, "is_public"),
            is_counted=method == "POST" and not has_flag(view, "is_uncounted"),
        )
    return {
        "openapi": "3.1.1",
        "info": {"title": "Strophe", "version": installed_version(), "description": ABOUT},
        "tags": [{"name": name, "description": meaning} for name, meaning in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas((operation for *_, operation in told), settings),
            "headers": headers.components(),
            "parameters": {"RequestId": headers.REQUEST_ID},
            "securitySchemes": SECURITY,
        },
    }


def routes(app: Flask) -> Iterator[Route]:
    """Each method on each route that has a description, in the order of the descriptions."""
    there = {
        (method, rule.rule): rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    for (method, pattern), operation in OPERATIONS.items():
        if (endpoint := there.get((method, pattern))) is not None:
            yield method, pattern, endpoint, operation


def template(pattern: str) -> str:
    """Flask's pattern of a route as OpenAPI writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", pattern)


def described(
    operation: Operation, settings: Settings, *, is_public: bool, is_counted: bool
) -> dict[str, Any]:
    """One operation."""
    said: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": parameters(operation),
    }
    if operation.body is not None:
        said["requestBody"] = request_body(operation.body, operation.examples, settings)
    said["responses"] = answers(operation, settings, is_counted=is_counted) | refusals(
        operation, settings, is_public=is_public, is_counted=is_counted
    )
    # An empty list: no key is asked for, which tools show as an open lock.
    is_closed = has_keys(settings) and not is_public
    said["security"] = [{name: []} for name in SECURITY] if is_closed else []
    return said


def parameters(operation: Operation) -> list[dict[str, Any]]:
    """Those of the path, and the one that every route takes."""
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
    return [*of_path, {"$ref": "#/components/parameters/RequestId"}]


def request_body(
    body: type[BaseModel], examples: Iterable[Example], settings: Settings
) -> dict[str, Any]:
    """The body's schema and examples."""
    told = {
        example.title: {"value": example_within(example.body, settings)}
        | ({} if example.accept is None else {"x-accept": example.accept})
        for example in examples
    }
    schema = {"$ref": REF.format(model=body.__name__)}
    return {"required": True, "content": {JSON: {"schema": schema, "examples": told}}}


def answers(operation: Operation, settings: Settings, *, is_counted: bool) -> dict[str, Any]:
    """What is not an error of the one shape, by status; one status may have several forms."""
    found: dict[str, Any] = {}
    for form in operation.forms:
        answer = found.setdefault(
            str(form.status),
            {
                "description": HTTPStatus(form.status).phrase,
                "headers": headers.of_answer(operation.headers, settings, is_counted=is_counted),
            },
        )
        if form.content_type is None:
            answer["description"] = form.description
        else:
            answer.setdefault("content", {})[form.content_type] = {"schema": form_schema(form)}
    for answer in found.values():
        if len(answer.get("content", ())) == 1:
            only = next(iter(answer["content"].values()))
            answer["description"] = only["schema"].pop("description")
    return found


def form_schema(form: Form) -> dict[str, Any]:
    """The schema of one form; in a stream it is that of each event, as OpenAPI 3.2 has it too."""
    said = {"description": form.description}
    if form.model is None:
        return {"type": "object" if form.content_type == JSON else "string", **said}
    ref = {"$ref": REF.format(model=form.model.__name__)}
    if form.content_type != EVENTS:
        return {**ref, **said}
    payload = {"contentMediaType": JSON, "contentSchema": ref}
    return {
        **said,
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {"type": "string", "anyOf": [{"const": "[DONE]"}, payload]},
            "event": {"const": "message", "description": "what an event without a name is"},
        },
        "additionalProperties": False,
    }


def refusals(
    operation: Operation, settings: Settings, *, is_public: bool, is_counted: bool
) -> dict[str, Any]:
    """Every error, by status, with its codes and headers."""
    of_access_ = of_access(settings, is_public=is_public, is_counted=is_counted)
    found = {}
    for status, problems in by_status([*operation.problems, *of_access_, UNEXPECTED]).items():
        names = dict.fromkeys(name for problem in problems for name in problem.headers)
        said = "; ".join(
            f"`{problem.code}`: {problem.when}" if problem.code else problem.when
            for problem in problems
        )
        found[str(status)] = {
            "description": said,
            "headers": headers.of_answer(names, settings, is_counted=False),
            "content": {JSON: {"schema": schema_of(problems)}},
        }
    return found


def schemas(operations: Iterable[Operation], settings: Settings) -> dict[str, Any]:
    """Every model that an operation refers to, and those that they refer to."""
    bodies: dict[str, type[BaseModel]] = {}
    models: dict[str, type[BaseModel]] = {ErrorAnswer.__name__: ErrorAnswer}
    for operation in operations:
        if operation.body is not None:
            bodies[operation.body.__name__] = operation.body
        models |= {form.model.__name__: form.model for form in operation.forms if form.model}
    _, defined = models_json_schema(
        [(model, "validation") for model in (bodies | models).values()],
        ref_template=REF,
    )
    found: dict[str, Any] = {
        name: without_titles(schema) for name, schema in defined["$defs"].items()
    }
    return found | {name: as_read(model, found[name], settings) for name, model in bodies.items()}


def without_titles(schema: dict[str, Any]) -> dict[str, Any]:
    """The same without the titles that pydantic makes of names."""
    bare = {key: value for key, value in schema.items() if key != "title"}
    if "properties" in bare:
        bare["properties"] = {
            name: {key: value for key, value in field.items() if key != "title"}
            for name, field in bare["properties"].items()
        }
    return bare
