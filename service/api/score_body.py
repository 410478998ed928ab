"""What `/v1/score` accepts: every field with its bounds; anything else is refused by name.

Knows nothing of Flask.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from model.parameters import MAX_LOGPROBS
from service.api.body_base import strictly, whole_characters


class ScoreRequest(BaseModel):
    """One text, and the model that is to say how surprising it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )
    text: str = Field(min_length=1, description="the text to score, from its first character on")
    logprobs: int = Field(
        0,
        ge=0,
        le=MAX_LOGPROBS,
        description="give this many likeliest alternatives to each token",
    )

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The request that a JSON object asks for. Raises ParameterError, which names the field."""
        return strictly(cls, content)

    _whole_characters = field_validator("text")(whole_characters)
