"""Schemas of request bodies: those of their models, within the settings of this service.

Two things the models do not say: null means left out, and the settings may be narrower than a
field's bounds.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from service.api.inspect import InspectRequest
from service.api.request_body import MAX_CHOICES
from service.settings import Settings

NULL = {"type": "null"}


def narrowed(
    model: type[BaseModel], name: str, schema: dict[str, Any], settings: Settings
) -> dict[str, Any]:
    """Narrow a field's schema to the settings of this service."""
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
    """Narrow an example to the settings of this service, so that it is not refused."""
    most = {
        "max_tokens": settings.max_tokens,
        "n": settings.max_streams,
        "best_of": settings.max_streams,
    }
    return {name: min(value, most[name]) if name in most else value for name, value in body.items()}


def within(schema: dict[str, Any], most: int) -> dict[str, Any]:
    """Set the maximum of a number's schema, also where null stands beside the number."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [within(each, most) for each in schema["anyOf"]]}
    return {**schema, "maximum": most} if "maximum" in schema else schema


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Let a field's schema take null too; its default and description stay at its top."""
    if NULL in schema.get("anyOf", ()):
        return {name: value for name, value in schema.items() if name != "default"}
    words: dict[str, Any] = {
        name: schema[name] for name in ("default", "description") if name in schema
    }
    bare = {name: value for name, value in schema.items() if name not in words}
    choices = bare["anyOf"] if set(bare) == {"anyOf"} else [bare]
    return {"anyOf": [*choices, NULL], **words}


def as_read(model: type[BaseModel], schema: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Schema of a whole body as the route reads it, its own fields before those it inherits."""
    fields = {}
    own = [name for name in model.model_fields if name in model.__annotations__]
    for name in dict.fromkeys([*own, *schema["properties"]]):
        field = schema["properties"][name]
        bare = {key: value for key, value in field.items() if key != "title"}
        bounded = narrowed(model, name, bare, settings)
        fields[name] = bounded if model.model_fields[name].is_required() else or_null(bounded)
    return {**schema, "properties": fields}
