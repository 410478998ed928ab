"""Sampling parameters of a request: every field with its default, its bounds and its meaning.

The commands, the HTTP schema and the documents take names, bounds and help from here.
Knows nothing of tensors; `model.decoding.sampling` gives these numbers their meaning.
"""

import secrets
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from model.avoided_words import MAX_AVOIDED, MAX_AVOIDED_LENGTH, avoided_phrase
from model.validation import validated_fields

MAX_SEED = 2**63 - 1
MAX_PENALTY_WINDOW = 1024
MAX_STOPS = 16
MAX_LOGPROBS = 20

BackendName = Literal[
    "auto", "int8", "fp32"
]  # how steps are computed, see `model.decoding.decoder`

StopString = Annotated[str, Field(min_length=1, max_length=200)]


def _readable(text: str) -> str:
    avoided_phrase(text)
    return text


AvoidedText = Annotated[
    str, Field(min_length=1, max_length=MAX_AVOIDED_LENGTH), AfterValidator(_readable)
]
Bias = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]


class SamplingParams(BaseModel):
    """Sampling parameters: temperature, top-k, penalties, stop strings, length; all optional."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    max_tokens: int = Field(
        256, ge=0, le=1_000_000, description="end after this many tokens (characters)"
    )
    min_tokens: int = Field(
        0, ge=0, le=1_000_000, description="do not end the document before this many tokens"
    )
    temperature: float = Field(
        0.8, ge=0, le=10, description="divides the logits; 0 takes the likeliest, always"
    )
    top_k: int = Field(
        0, ge=0, le=1_000_000, description="keep this many likeliest characters; 0 keeps all"
    )
    top_p: float = Field(
        1.0, gt=0, le=1, description="keep the fewest likeliest that together have this much"
    )
    min_p: float = Field(
        0.0, ge=0, le=1, description="keep what has this share of the likeliest one's probability"
    )
    typical_p: float = Field(
        1.0, gt=0, le=1, description="keep the most typical that together have this probability"
    )
    repetition_penalty: float = Field(
        1.0, gt=0, le=10, description="above 1, characters of the window become less likely"
    )
    frequency_penalty: float = Field(
        0.0, ge=-2, le=2, description="taken off a logit for each time it is in the window"
    )
    presence_penalty: float = Field(
        0.0, ge=-2, le=2, description="taken off a logit once if it is in the window"
    )
    penalty_window: int = Field(
        64, ge=1, le=MAX_PENALTY_WINDOW, description="how many last tokens the penalties look at"
    )
    logit_bias: dict[str, Bias] = Field(
        default_factory=dict, max_length=300, description="added to a character's logit"
    )
    seed: int | None = Field(
        None, ge=0, le=MAX_SEED, description="the same seed gives the same text; none draws one"
    )
    stop: tuple[StopString, ...] = Field(
        (), max_length=MAX_STOPS, strict=False, description="end before any of these strings"
    )
    max_lines: int | None = Field(
        None, ge=1, le=100_000, description="end with the end of this many lines that hold text"
    )
    max_stanzas: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="end before the blank line behind this many stanzas; a title is none",
    )
    soft_end: int | None = Field(
        None,
        ge=0,
        le=1_000_000,
        description="from this many tokens on, end with a poem or stanza, later with any line; "
        "such ends become ever likelier",
    )
    avoid: tuple[AvoidedText, ...] = Field(
        (),
        max_length=MAX_AVOIDED,
        strict=False,
        description="words and phrases that must not come; love* avoids all that begin so",
    )
    logprobs: int | None = Field(
        None,
        ge=0,
        le=MAX_LOGPROBS,
        description="give each token's log probability and those of this many alternatives",
    )

    @classmethod
    def checked(cls, **fields: object) -> Self:
        """Validate fields as parameters. Raises ParameterError, which names the field."""
        return validated_fields(cls, fields)

    def with_seed(self) -> Self:
        """Parameters with a seed: their own, or a fresh one that can be told and reused.

        A fresh seed stays below 2**53, so that a JavaScript client can give it back unharmed.
        """
        if self.seed is not None:
            return self
        return self.model_copy(update={"seed": secrets.randbelow(2**53)})
