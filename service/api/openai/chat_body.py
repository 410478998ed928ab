"""Body of `/v1/chat/completions`: OpenAI's fields, and our sampling fields beside them.

A verse model knows no roles: the last message of the user is its prompt, and no other is read.
What a chat may bring beside text (tools, images, formats) is refused by name. Knows nothing of
Flask.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainValidator

from model.errors import ParameterError, shortened
from model.parameters import MAX_LOGPROBS
from service.api.openai.openai_request import OpenAiRequest
from service.api.request_body import whole_characters

DEFAULT_MAX_TOKENS = 1024  # OpenAI has no limit, and a model may never end its poem


class TextPart(BaseModel):
    """Part of a message: text, and nothing else."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["text"]
    text: str


def text_of(content: object) -> str | None:
    """Text of a message's content, which may come in parts. Raises ValueError for another kind."""
    if content is None or isinstance(content, str):
        return content if content is None else whole_characters(content)
    if not isinstance(content, list):
        raise ValueError(f"must be a string or a list of text parts, got {shortened(content)}")
    return whole_characters("".join(map(_text_of_part, content)))


def _text_of_part(part: object) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or kind != "text":
        shown = shortened(part if kind is None else kind)
        raise ValueError(f'holds a part of the type {shown}; the models read "text" alone')
    if not isinstance(text := part.get("text"), str):
        raise ValueError(f"holds a part whose text is no string, got {shortened(text)}")
    return text


class Message(BaseModel):
    """Message of a chat; its other members are not read."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[str | None, PlainValidator(text_of, str | list[TextPart] | None)] = Field(
        None, description="text, or a list of parts of the type text"
    )


def none_of(value: object) -> None:
    """Nothing, of what a verse model cannot do. Raises ValueError where it is asked for."""
    if value not in (None, []):
        raise ValueError("is not supported: the models write verse and nothing else, leave it out")


Nothing = Annotated[None, PlainValidator(none_of, Annotated[list[str], Field(max_length=0)] | None)]


class ResponseFormat(BaseModel):
    """Form of the text."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    type: Literal["text"] = Field(description="only text: verse is not written as JSON")


class ChatRequest(OpenAiRequest):
    """One chat by OpenAI's contract; the last message of the user is the prompt."""

    UNSET_AT_MINUS_ONE: ClassVar[frozenset[str]] = OpenAiRequest.UNSET_AT_MINUS_ONE | {
        "max_completion_tokens"
    }

    messages: tuple[Message, ...] = Field(
        min_length=1,
        strict=False,
        description="the last one of the role user is the prompt; no other is read",
    )
    max_tokens: int = Field(
        DEFAULT_MAX_TOKENS,
        ge=0,
        le=1_000_000,
        description="end after this many tokens (characters)",
    )
    max_completion_tokens: int | None = Field(
        None, ge=0, le=1_000_000, description="the newer name of max_tokens"
    )
    logprobs: bool = Field(False, description="give each token's log probability")
    top_logprobs: int | None = Field(
        None, ge=0, le=MAX_LOGPROBS, description="and those of this many alternatives"
    )
    response_format: ResponseFormat | None = Field(None, description="only text")
    modalities: tuple[Literal["text"], ...] | None = Field(
        None, strict=False, description="only text"
    )
    tools: Nothing = Field(None, description="only an empty list: the models call nothing")
    tool_choice: Literal["none", "auto"] | None = Field(None, description="there are no tools")
    functions: Nothing = Field(None, description="only an empty list: the models call nothing")
    function_call: Literal["none", "auto"] | None = Field(None, description="as tool_choice")
    audio: Nothing = Field(None, description="only an empty list")
    web_search_options: Nothing = Field(None, description="only an empty list")

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> tuple[Self, list[str]]:
        """Request from a JSON object, and the names of the fields that are left aside.

        Raises ParameterError, which names the field.
        """
        body, ignored = super().from_json(content)
        if body.max_completion_tokens is None:
            return body, ignored
        return body.model_copy(update={"max_tokens": body.max_completion_tokens}), ignored

    def require_fields_fit(self) -> None:
        """Check fields against each other. Raises ParameterError, which names one to change."""
        super().require_fields_fit()
        if self.top_logprobs is not None and not self.logprobs:
            raise ParameterError("top_logprobs", "needs logprobs: true")
        if self.max_completion_tokens is not None and "max_tokens" in self.model_fields_set:
            raise ParameterError("max_completion_tokens", "is the same as max_tokens, send one")
        if all(message.role != "user" for message in self.messages):
            raise ParameterError("messages", "has none of the role user, whose last is the prompt")
        if self.messages[self.prompt_message].content is None:
            name = f"messages.{self.prompt_message}.content"
            raise ParameterError(name, "must be given: the user's last message is the prompt")

    @property
    def prompt_message(self) -> int:
        """Index of the message that is the prompt: the last one of the user."""
        return max(i for i, message in enumerate(self.messages) if message.role == "user")

    @property
    def prompts(self) -> tuple[str, ...]:
        """Text to continue."""
        content = self.messages[self.prompt_message].content
        return (content if content is not None else "",)

    @property
    def alternatives(self) -> int | None:
        """Count of alternatives to show with each token's log probability; None: show neither."""
        if not self.logprobs:
            return None
        return self.top_logprobs if self.top_logprobs is not None else 0

    @property
    def prompt_field(self) -> str:
        """Name of the field that holds the prompt."""
        return "messages"

    @property
    def length_field(self) -> str:
        """Name of the field that bounds the length."""
        return "max_tokens" if self.max_completion_tokens is None else "max_completion_tokens"
