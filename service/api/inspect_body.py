"""What `/v1/inspect` accepts: every field with its bounds; anything else is refused by name.

Knows nothing of Flask and of how many layers a model has.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from model.parameters import MAX_LOGPROBS
from service.api.body_base import strictly, whole_characters


class InspectRequest(BaseModel):
    """One text, and the layer of a model that is to be looked into while it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )
    text: str = Field(min_length=1, description="the text to read, from its first character on")
    layer: int | None = Field(
        None, ge=0, description="which layer to look into, 0 the lowest; unset takes the top one"
    )
    top: int = Field(
        5, ge=0, le=MAX_LOGPROBS, description="give this many likeliest tokens at each place"
    )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The request that a JSON object asks for. Raises ParameterError, which names the field."""
        return strictly(cls, content)

    _whole_characters = field_validator("text")(whole_characters)
