"""Schemas of request bodies: those of their models, within the settings of this service.

Three things the models do not say: null means left out, so does -1 in some fields, and the settings
may be narrower than a field's bounds.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from service.api.inspect import InspectRequest
from service.api.request_body import MAX_CHOICES
from service.api.tokenization import DetokenizeRequest
from service.api.verse.analyze import AnalyzeRequest
from service.settings import Settings

NULL = {"type": "null"}
TEXTS = ("prompt", "text", "opening", "context")  # fields that a model reads


def narrowed(
    model: type[BaseModel], name: str, schema: dict[str, Any], settings: Settings
) -> dict[str, Any]:
    """Narrow a field's schema to the settings of this service."""
    if name == "max_tokens":
        most = min(schema["maximum"], settings.max_tokens)
        return {**schema, "maximum": most, "default": min(schema["default"], most)}
    if name == "max_completion_tokens":
        return within(schema, settings.max_tokens)
    if name in TEXTS and model is not AnalyzeRequest and schema.get("type") == "string":
        longest = settings.longest_inspected if model is InspectRequest else settings.max_prompt
        return {**schema, "maxLength": min(longest, schema.get("maxLength", longest))}
    if model is DetokenizeRequest and name == "tokens":
        return {**schema, "maxItems": settings.max_prompt}
    if name in ("n", "best_of"):
        return within(schema, min(MAX_CHOICES, settings.most_texts))
    return schema


def example_within(body: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Narrow an example to the settings of this service, so that it is not refused."""
    most = {
        "max_tokens": settings.max_tokens,
        "n": settings.most_texts,
        "best_of": settings.most_texts,
    }
    return {name: min(value, most[name]) if name in most else value for name, value in body.items()}


def within(schema: dict[str, Any], most: int) -> dict[str, Any]:
    """Set the maximum of a number's schema, also where null stands beside the number."""
    if "anyOf" in schema:
        return {**schema, "anyOf": [within(each, most) for each in schema["anyOf"]]}
    return {**schema, "maximum": most} if "maximum" in schema else schema


def or_unset(schema: dict[str, Any], *, at_minus_one: bool) -> dict[str, Any]:
    """Let a schema take what means left out too; its default and description stay at its top."""
    words: dict[str, Any] = {
        name: schema[name] for name in ("default", "description") if schema.get(name) is not None
    }
    bare = {name: value for name, value in schema.items() if name not in ("default", "description")}
    choices = bare["anyOf"] if set(bare) == {"anyOf"} else [bare]
    unset = [NULL, {"const": -1}] if at_minus_one else [NULL]
    return {"anyOf": [*(each for each in choices if each != NULL), *unset], **words}


def as_read(model: type[BaseModel], schema: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Schema of a whole body as the route reads it, its own fields before those it inherits."""
    fields = {}
    unset_at_minus_one = getattr(model, "UNSET_AT_MINUS_ONE", ())
    own = [name for name in model.model_fields if name in model.__annotations__]
    for name in dict.fromkeys([*own, *schema["properties"]]):
        field = schema["properties"][name]
        bare = {key: value for key, value in field.items() if key != "title"}
        field = narrowed(model, name, bare, settings)
        if not model.model_fields[name].is_required():
            field = or_unset(field, at_minus_one=name in unset_at_minus_one)
        fields[name] = field
    return {**schema, "properties": fields}
