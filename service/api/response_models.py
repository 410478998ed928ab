"""Response models that several routes share: usage, log probabilities, facts about a text.

Responses are typed dictionaries. A type checker holds every response to them where it is built,
and the OpenAPI document is made of the same classes, so the two cannot differ; a dictionary costs
a streamed event nothing, which a validated model would. Each route's own models stand beside it.
A response model's docstring is its description in /openapi.json, here and in every route, so it
speaks to the API's clients. `TokenLogprob` is the outward form of the decoder's
class of that name, `generation.TokenLogprob`.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from model.decoding import generation

FinishReason = Literal["stop", "length", "cancelled"]

FINISH = "stop, length (max_tokens was reached) or cancelled (by its id)"
STOP = (
    "the stop string that ended the text, end_of_document, or which of max_lines, max_stanzas "
    "and soft_end did; null for another end"
)

FINGERPRINT = "a hash of the checkpoint's files: while it stays, a seed gives the same text"

# Decorates response models: an object with these members and no others.
closed = with_config(ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))

Count = Annotated[int, Field(ge=0)]


@closed
class Alternative(TypedDict):
    """A token that might have stood there."""

    token: str
    logprob: Annotated[float, Field(le=0)]


@closed
class TokenLogprob(TypedDict):
    """One token, how likely the model found it, and the likeliest ones in its place."""

    token: Annotated[str, Field(description="its text; <s> is the end of the document")]
    logprob: Annotated[float, Field(le=0, description="in nats, before any sampling field")]
    top: list[Alternative]


@closed
class Usage(TypedDict):
    """What was read and written, in tokens."""

    prompt_tokens: Count
    completion_tokens: Count
    total_tokens: Count


@closed
class PromptFacts(TypedDict):
    """How the prompt's characters were read."""

    folded: Annotated[int, Field(ge=0, description="unknown ones that were written as look-alikes")]
    unknown: Annotated[int, Field(ge=0, description="unknown ones without a look-alike")]


@closed
class TextFacts(PromptFacts):
    """The text as it was scored."""

    characters: Annotated[int, Field(ge=1)]


def token_logprob_response(entry: generation.TokenLogprob) -> TokenLogprob:
    """Response model of one token's log probability and its alternatives."""
    top: list[Alternative] = [{"token": token, "logprob": value} for token, value in entry.top]
    return {"token": entry.token, "logprob": entry.logprob, "top": top}


def usage_of(num_prompt_tokens: int, num_generated: int) -> Usage:
    """Response model of how many tokens were read and generated."""
    return {
        "prompt_tokens": num_prompt_tokens,
        "completion_tokens": num_generated,
        "total_tokens": num_prompt_tokens + num_generated,
    }
