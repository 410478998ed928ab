"""What `/v1/generate` accepts: every field with its bounds; anything else is refused by name.

The sampling fields are those of `model.parameters.SamplingParams`, which also gives them their
bounds and meaning. Knows nothing of Flask.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, field_validator

from model.errors import ParameterError, shortened
from model.parameters import SamplingParams

MAX_CHOICES = 16


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
        for name in content:
            if name not in cls.model_fields:
                allowed = ", ".join(sorted(cls.model_fields))
                raise ParameterError(shortened(name)[1:-1], f"no such field; allowed: {allowed}")
        # Every field may be left out, and null means just that.
        return cls.checked(**{name: value for name, value in content.items() if value is not None})

    @field_validator("stop", mode="before")
    @classmethod
    def _one_stop(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("prompt")
    @classmethod
    def _whole_characters(cls, value: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"holds half a surrogate pair at character {error.start}") from error
        return value

    def sampling(self) -> SamplingParams:
        """The part that decoding knows, with a seed."""
        fields = {name: getattr(self, name) for name in SamplingParams.model_fields}
        return SamplingParams.model_construct(**fields).with_seed()
