"""The schemas of request bodies: those of their models, as they are read here.

Two things the models do not say: null means left out, and this service's settings may be
narrower than a field's bounds.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from service.api.body_base import MAX_CHOICES
from service.api.inspect_body import InspectRequest
from service.settings import Settings

NULL = {"type": "null"}


def narrowed(
    model: type[BaseModel], name: str, schema: dict[str, Any], settings: Settings
) -> dict[str, Any]:
    """A field's schema within the settings of this service."""
    if name == "max_tokens":
        most = min(schema["maximum"], settings.max_tokens)
        return {**schema, "maximum": most, "default": min(schema["default"], most)}
    if name in ("prompt", "text") and schema.get("type") == "string":
        longest = settings.longest_inspected if model is InspectRequest else settings.max_prompt
        return {**schema, "maxLength": longest}
    if name in ("n", "best_of"):
        return within(schema, min(MAX_CHOICES, settings.max_streams))
    return schema


def example_within(body: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """An example that this service takes: no more than its settings allow."""
    most = {
        "max_tokens": settings.max_tokens,
        "n": settings.max_streams,
        "best_of": settings.max_streams,
    }
    return {name: min(value, most[name]) if name in most else value for name, value in body.items()}


def within(schema: dict[str, Any], most: int) -> dict[str, Any]:
    """The same with this maximum, also where null stands beside the number."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [within(each, most) for each in schema["anyOf"]]}
    return {**schema, "maximum": most} if "maximum" in schema else schema


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The same, where null is taken too; what is said of the field stays at its top."""
    if NULL in schema.get("anyOf", ()):
        return {name: value for name, value in schema.items() if name != "default"}
    said: dict[str, Any] = {
        name: schema[name] for name in ("default", "description") if name in schema
    }
    asked = {name: value for name, value in schema.items() if name not in said}
    choices = asked["anyOf"] if set(asked) == {"anyOf"} else [asked]
    return {"anyOf": [*choices, NULL], **said}


def as_read(model: type[BaseModel], schema: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The schema of a whole body, with the fields of its own before those it shares."""
    fields = {}
    own = [name for name in model.model_fields if name in model.__annotations__]
    for name in dict.fromkeys([*own, *schema["properties"]]):
        field = schema["properties"][name]
        bare = {key: value for key, value in field.items() if key != "title"}
        bounded = narrowed(model, name, bare, settings)
        fields[name] = bounded if model.model_fields[name].is_required() else or_null(bounded)
    return {**schema, "properties": fields}
