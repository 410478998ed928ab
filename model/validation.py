"""Validation of fields by a pydantic model, with an error of ours that names the field.

Knows nothing of what the fields mean and where they come from.
"""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from model.errors import ParameterError

M = TypeVar("M", bound=BaseModel)


def validated_fields(schema: type[M], fields: object) -> M:
    """Instance of a pydantic model from fields. Raises ParameterError, which names the field."""
    try:
        return schema.model_validate(fields)
    except ValidationError as error:
        raise ParameterError.from_validation(error) from error
