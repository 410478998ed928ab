"""Body of `/v1/completions`: OpenAI's fields, and our sampling fields beside them.

Knows nothing of Flask.
"""

from typing import Annotated

from pydantic import Field, PlainValidator, field_validator

from model.errors import ParameterError
from model.tokenizer import Tokenizer
from service.api.copy_reports import ASKED
from service.api.openai.openai_request import OpenAiRequest
from service.api.openai.prompts import Prompt, echo_of
from service.api.request_body import MAX_CHOICES, TokenId, whole_characters
from service.api.resuming import Resumable

MAX_PROMPTS = 64

# What `prompts_of` takes, as a type; the document of the interface says so.
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


class CompletionRequest(Resumable, OpenAiRequest):
    """One request by OpenAI's contract, with its defaults."""

    prompt: Annotated[tuple[Prompt, ...], PlainValidator(prompts_of, Prompts)] = Field(
        ("",), description=f"the texts to continue: {PROMPT_FORMS}"
    )
    max_tokens: int = Field(
        16, ge=0, le=1_000_000, description="end after this many tokens (characters)"
    )
    best_of: int | None = Field(
        None,
        ge=1,
        le=MAX_CHOICES,
        description="how many to write for each prompt; the n with the highest mean log "
        "probability of a token are given",
    )
    echo: bool = Field(False, description="give the prompt back in front of the text")
    copies: bool = Field(False, description=ASKED)
    suffix: str | None = Field(
        None,
        description="only empty: the models write what follows, not what stands between",
        json_schema_extra={"maxLength": 0},
    )

    @field_validator("suffix")
    @classmethod
    def _no_suffix(cls, value: str | None) -> str | None:
        if value:
            raise ValueError("is not supported: the models write what follows the prompt only")
        return value

    def require_fields_fit(self) -> None:
        """Check fields against each other. Raises ParameterError, which names one to change."""
        super().require_fields_fit()
        if self.best_of is not None and self.best_of < self.n:
            raise ParameterError("best_of", f"must be at least n, which is {self.n}")
        if self.has_choice and self.stream:
            raise ParameterError("best_of", "cannot be streamed, the best is known at the end")
        if self.has_choice and self.received is not None:
            raise ParameterError("received", "cannot be gone on with where the best_of are chosen")

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """Texts to continue."""
        return self.prompt

    @property
    def alternatives(self) -> int | None:
        """Count of alternatives to show with each token's log probability; None: show neither."""
        return self.logprobs

    @property
    def computed_alternatives(self) -> int | None:
        """Count of alternatives to compute for each token; 0 where only `best_of` needs them."""
        return 0 if self.has_choice and self.logprobs is None else self.logprobs

    @property
    def prompt_alternatives(self) -> int | None:
        """Count of alternatives to compute for each token of the prompts; None: not scored."""
        return self.logprobs if self.echo else None

    def opening_of(self, prompt: Prompt, tokenizer: Tokenizer) -> str:
        """Text that stands before what is generated: the prompt, where it is given back."""
        return echo_of(prompt, tokenizer, with_offsets=False).text if self.echo else ""

    @property
    def wants_copies(self) -> bool:
        """Copy report wanted: what each text has from the training text."""
        return self.copies

    @property
    def num_written(self) -> int:
        """Count of texts to generate for each prompt."""
        return self.n if self.best_of is None else self.best_of

    @property
    def has_choice(self) -> bool:
        """Choice among texts: more are generated (`best_of`) than are given (`n`)."""
        return self.num_written > self.n
