"""What `/v1/generate` accepts: every field with its bounds; anything else is refused by name.

The sampling fields are those of `model.parameters.SamplingParams`, which also gives them their
bounds and meaning. Knows nothing of Flask.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, field_validator

from model.parameters import SamplingParams
from service.api.body_base import (
    MAX_CHOICES,
    Stops,
    given,
    one_or_many,
    require_known_fields,
    whole_characters,
)


class GenerateRequest(SamplingParams):
    """One request: the prompt, the model, and how to go on from there."""

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )
    prompt: str = Field("", description="the text to continue; empty begins a new one")
    n: int = Field(
        1, ge=1, le=MAX_CHOICES, description="how many texts to write; text i has seed + i"
    )
    echo: bool = Field(False, description="give the prompt back in front of the text")

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """The request that a JSON object asks for. Raises ParameterError, which names the field."""
        require_known_fields(content, cls)
        return cls.checked(**given(content))

    _one_stop = field_validator("stop", mode="before", json_schema_input_type=Stops)(one_or_many)
    _whole_characters = field_validator("prompt")(whole_characters)

    def sampling(self) -> SamplingParams:
        """The part that decoding knows, with a seed."""
        fields = {name: getattr(self, name) for name in SamplingParams.model_fields}
        return SamplingParams.model_construct(**fields).with_seed()
