"""Template data of the API page: the OpenAPI document in the order and the words of people.

Knows nothing of HTML; `static/page.html` does.
"""

import json
import shlex
from collections.abc import Iterator
from typing import Any

from model.count_in_words import counted


def page_variables(document: dict[str, Any]) -> dict[str, Any]:
    """Variables of the template, from the OpenAPI document."""
    schemas = document["components"]["schemas"]
    bodies = {
        name_of(body) for *_, operation in operations(document) if (body := ref_of(operation))
    }
    return {
        "info": document["info"],
        "paragraphs": document["info"]["description"].split("\n\n"),
        "tags": [
            {**tag, "operations": operations_of(document, tag["name"])} for tag in document["tags"]
        ],
        "schemas": [
            {"name": name, **described(schema)}
            for name, schema in sorted(schemas.items())
            if name not in bodies
        ],
        "has_keys": any(operation["security"] for _, _, operation in operations(document)),
    }


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and operation object of every operation in the document."""
    return [
        (method.upper(), path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def operations_of(document: dict[str, Any], tag: str) -> list[dict[str, Any]]:
    """Operations with one tag, with what the template shows of each."""
    return [
        {
            **operation,
            "method": method,
            "path": path,
            "path_parameters": [p for p in operation["parameters"] if p.get("in") == "path"],
            "accepts": list(accepted(operation)),
            "body": body_of(document, operation),
            "examples": examples_of(method, path, operation),
        }
        for method, path, operation in operations(document)
        if tag in operation["tags"]
    ]


def accepted(operation: dict[str, Any]) -> dict[str, Any]:
    """Content types of an operation's answer, each with its media type object."""
    content: dict[str, Any] = operation["responses"]["200"].get("content", {})
    return content


def body_of(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any] | None:
    """Name and fields of an operation's body; None for an operation without one."""
    if (ref := ref_of(operation)) is None:
        return None
    name = name_of(ref)
    return {"name": name, **described(document["components"]["schemas"][name], is_body=True)}


def ref_of(operation: dict[str, Any]) -> str | None:
    """Reference to the schema of an operation's body; None for an operation without one."""
    if "requestBody" not in operation:
        return None
    return str(operation["requestBody"]["content"]["application/json"]["schema"]["$ref"])


def name_of(ref: str) -> str:
    """Name of the schema that a reference points to."""
    return ref.rpartition("/")[2]


def examples_of(method: str, path: str, operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Examples of an operation, each as a curl command and as the body that it sends."""
    if "requestBody" not in operation:
        return [{"title": None, "curl": curl(method, path, None), "body": None}]
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    return [
        {
            "title": title,
            "curl": curl(method, path, example["value"], example.get("x-accept")),
            "body": json.dumps(example["value"], ensure_ascii=False, indent=1),
            "accept": example.get("x-accept"),
        }
        for title, example in examples.items()
    ]


def curl(method: str, path: str, body: dict[str, Any] | None, accept: str | None = None) -> str:
    """Curl command of a request, to the host that the page came from."""
    parts = ["curl"]
    if body is not None:
        parts.append("-N")
    elif method == "POST":
        parts.append("-X POST")
    parts.append(f"SERVICE{path}")
    if accept is not None:
        parts.append(f"-H 'Accept: {accept}'")
    if body is not None:
        parts.append("\\\n  -d " + shlex.quote(json.dumps(body, ensure_ascii=False)))
    return " ".join(parts)


def described(schema: dict[str, Any], *, is_body: bool = False) -> dict[str, Any]:
    """Schema as table rows, one a field, or as the types that its value may have."""
    required = schema.get("required", ())
    return {
        "meaning": schema.get("description", ""),
        "fields": [
            {
                "name": name,
                "type": kind(field, has_null=not is_body),
                "default": shown_default(field),
                "is_required": name in required,
                "bounds": bounds(field),
                "meaning": field.get("description", ""),
            }
            for name, field in schema.get("properties", {}).items()
        ],
        "kinds": kind(schema) if "properties" not in schema else "",
    }


def shown_default(field: dict[str, Any]) -> str:
    """Default of a field as JSON; empty where there is none."""
    return json.dumps(field["default"], ensure_ascii=False) if "default" in field else ""


def kind(schema: dict[str, Any], *, has_null: bool = True) -> str:
    """One-line type of a schema; `has_null=False` leaves out null, which all body fields take."""
    if "$ref" in schema:
        return name_of(schema["$ref"])
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"])
    if "anyOf" in schema:
        kinds = dict.fromkeys(kind(each) for each in schema["anyOf"])
        return " | ".join(name for name in kinds if name != "null" or has_null)
    if schema.get("type") == "array":
        inner = kind(schema.get("items", {}))
        return f"list of ({inner})" if "|" in inner else f"list of {inner}"
    return str(schema.get("type", "any"))


WORDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "minLength": "{} or more",
    "maxLength": "at most {}",
    "minItems": "{} or more",
    "maxItems": "at most {} of them",
    "maxProperties": "at most {} of them",
}


def bounds(schema: dict[str, Any]) -> str:
    """Bounds of a schema in words, those of its list items and values included."""
    return ", ".join(dict.fromkeys(limits(schema)))


def limits(schema: dict[str, Any]) -> Iterator[str]:
    """Yield each bound of a schema in words, the outer ones first."""
    for key, words in WORDS.items():
        if key in schema:
            bound = schema[key]
            yield words.format(counted(bound, "character") if "Length" in key else f"{bound:,}")
    for inner in (
        *schema.get("anyOf", ()),
        schema.get("items"),
        schema.get("additionalProperties"),
    ):
        if isinstance(inner, dict):
            yield from limits(inner)
