"""Fields that bodies by OpenAI's contract have in common, with their defaults and checks.

Fields that no body has are left aside, and named in the answer: clients send what other servers
understand. -1 means unset where clients of other servers send it so. Knows nothing of Flask.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from model.errors import ParameterError
from model.parameters import Bias, SamplingParams
from model.tokenizer import Tokenizer
from service.api.openai.prompts import Prompt
from service.api.request_body import MAX_CHOICES, Stops, given, one_or_many, unknown_fields


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


class OpenAiRequest(SamplingParams):
    """What is asked for by OpenAI's contract, whichever of its routes is called."""

    model_config = ConfigDict(extra="ignore")

    UNSET_AT_MINUS_ONE: ClassVar[frozenset[str]] = frozenset({"max_tokens", "seed", "top_k"})

    model: str | None = Field(
        None, max_length=200, description="name of a model; unset takes the default one"
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
    stream: bool = Field(False, description="send the text as it comes, as server-sent events")
    stream_options: StreamOptions | None = Field(None, description="only with stream")
    user: str | None = Field(None, max_length=1000, description="read and not used")

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> tuple[Self, list[str]]:
        """Request from a JSON object, and the names of the fields that are left aside.

        Raises ParameterError, which names the field.
        """
        body = cls.checked(
            **{
                name: value
                for name, value in given(content).items()
                if not (name in cls.UNSET_AT_MINUS_ONE and value == -1 and type(value) is int)
            }
        )
        body.require_fields_fit()
        return body, unknown_fields(content, cls)

    _one_stop = field_validator("stop", mode="before", json_schema_input_type=Stops)(one_or_many)

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

    @property
    @abstractmethod
    def prompts(self) -> Sequence[Prompt]:
        """Texts to continue."""

    @property
    @abstractmethod
    def alternatives(self) -> int | None:
        """Count of alternatives to show with each token's log probability; None: show neither."""

    @property
    def computed_alternatives(self) -> int | None:
        """Count of alternatives to compute for each generated token; None: not even its own."""
        return self.alternatives

    @property
    def prompt_alternatives(self) -> int | None:
        """Count of alternatives to compute for each token of the prompts; None: not scored."""
        return None

    def opening_of(self, prompt: Prompt, tokenizer: Tokenizer) -> str:
        """Text that stands before what is generated."""
        del prompt, tokenizer
        return ""

    @property
    def num_written(self) -> int:
        """Count of texts to generate for each prompt."""
        return self.n

    @property
    def num_texts(self) -> int:
        """Count of texts to generate for all prompts."""
        return len(self.prompts) * self.num_written

    @property
    def wants_copies(self) -> bool:
        """Whether each text's copies from the training text are to be told."""
        return False

    @property
    def prompt_field(self) -> str:
        """Name of the field that holds the prompts."""
        return "prompt"

    @property
    def length_field(self) -> str:
        """Name of the field that bounds the length."""
        return "max_tokens"

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to tell the usage at its end."""
        return self.stream_options is not None and self.stream_options.include_usage
