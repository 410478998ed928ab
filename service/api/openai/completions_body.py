"""Body of `/v1/completions`: OpenAI's fields, and our sampling fields beside them.

Fields that neither has are left aside, and named in the answer: clients send what other servers
understand.
Knows nothing of Flask.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, field_validator

from model.errors import ParameterError
from model.parameters import Bias, SamplingParams
from service.api.openai.prompts import Prompt
from service.api.request_body import (
    MAX_CHOICES,
    Stops,
    given,
    one_or_many,
    unknown_fields,
    whole_characters,
)

MAX_PROMPTS = 64

# What `prompts_of` takes, as a type; the document of the interface says so.
TokenId = Annotated[int, Field(ge=0)]
Prompts = (
    str
    | Annotated[list[TokenId], Field(min_length=1)]
    | Annotated[list[str | list[TokenId]], Field(min_length=1, max_length=MAX_PROMPTS)]
)

PROMPT_FORMS = "a string, a list of strings, a list of token ids or a list of such lists"


def prompts_of(value: object) -> tuple[Prompt, ...]:
    """Prompts of a request, from any of the four forms. Raises ValueError for another one."""
    if isinstance(value, str):
        return (whole_characters(value),)
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"must be {PROMPT_FORMS}, and not an empty list")
    if all(_is_id(each) for each in value):
        return (tuple(value),)
    if len(value) > MAX_PROMPTS:
        raise ValueError(f"has {len(value)} prompts, at most {MAX_PROMPTS} are taken at once")
    return tuple(_prompt(each) for each in value)


def _prompt(value: object) -> Prompt:
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, list | tuple) and all(_is_id(each) for each in value):
        return tuple(value)
    raise ValueError(f"must be {PROMPT_FORMS}")


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


class StreamOptions(BaseModel):
    """How a stream is to be."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    include_usage: bool = Field(False, description="one more chunk at the end, with the usage")
    include_obfuscation: bool = Field(
        False,
        description="only false: nothing is padded here",
        json_schema_extra={"const": False},
    )

    @field_validator("include_obfuscation")
    @classmethod
    def _no_obfuscation(cls, value: bool) -> bool:
        if value:
            raise ValueError("is not done here, leave it out or send false")
        return value


class CompletionRequest(SamplingParams):
    """One request by OpenAI's contract, with its defaults."""

    model_config = ConfigDict(extra="ignore")

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
    )
    prompt: Annotated[tuple[Prompt, ...], PlainValidator(prompts_of, Prompts)] = Field(
        ("",), description=f"the texts to continue: {PROMPT_FORMS}"
    )
    max_tokens: int = Field(
        16, ge=0, le=1_000_000, description="end after this many tokens (characters)"
    )
    temperature: float = Field(
        1.0, ge=0, le=10, description="divides the logits; 0 takes the likeliest, always"
    )
    logit_bias: dict[str, Bias] = Field(
        default_factory=dict,
        max_length=300,
        description="added to a token's logit, by token id",
        json_schema_extra={"propertyNames": {"pattern": "^[0-9]{1,9}$"}},
    )
    n: int = Field(1, ge=1, le=MAX_CHOICES, description="how many texts to give for each prompt")
    best_of: int | None = Field(
        None,
        ge=1,
        le=MAX_CHOICES,
        description="how many to write for each prompt; the n with the highest mean log "
        "probability of a token are given",
    )
    echo: bool = Field(False, description="give the prompt back in front of the text")
    stream: bool = Field(False, description="send the text as it comes, as server-sent events")
    stream_options: StreamOptions | None = Field(None, description="only with stream")
    suffix: str | None = Field(
        None,
        description="only empty: the models write what follows, not what stands between",
        json_schema_extra={"maxLength": 0},
    )
    user: str | None = Field(None, max_length=1000, description="read and not used")

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> tuple[Self, list[str]]:
        """Request from a JSON object, and the names of the fields that are left aside.

        Raises ParameterError, which names the field.
        """
        body = cls.checked(**given(content))
        body.require_fields_fit()
        return body, unknown_fields(content, cls)

    _one_stop = field_validator("stop", mode="before", json_schema_input_type=Stops)(one_or_many)

    @field_validator("suffix")
    @classmethod
    def _no_suffix(cls, value: str | None) -> str | None:
        if value:
            raise ValueError("is not supported: the models write what follows the prompt only")
        return value

    @field_validator("logit_bias")
    @classmethod
    def _by_id(cls, value: dict[str, float]) -> dict[str, float]:
        for name in value:
            if not (name.isascii() and name.isdigit() and len(name) <= 9):
                raise ValueError(f"must be by token id, such as '42'; got {name[:20]!r}")
        return value

    def require_fields_fit(self) -> None:
        """Check fields against each other. Raises ParameterError, which names one to change."""
        if self.stream_options is not None and not self.stream:
            raise ParameterError("stream_options", "needs stream")
        if self.best_of is not None and self.best_of < self.n:
            raise ParameterError("best_of", f"must be at least n, which is {self.n}")
        if self.has_choice and self.stream:
            raise ParameterError("best_of", "cannot be streamed, the best is known at the end")

    @property
    def num_written(self) -> int:
        """Number of texts to generate for each prompt."""
        return self.n if self.best_of is None else self.best_of

    @property
    def has_choice(self) -> bool:
        """True where more texts are generated than are given."""
        return self.num_written > self.n
