"""Log probabilities of a chat completion in OpenAI's form: an object a token, with its bytes."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from model.decoding.generation import TokenLogprob
from model.tokenizer import Tokenizer
from service.api.response_models import closed

TokenBytes = Annotated[
    list[Annotated[int, Field(ge=0, le=255)]] | None,
    Field(description="what it writes, in UTF-8; null for the end of the document"),
]


@closed
class ChatAlternative(TypedDict):
    """A token that might have stood there."""

    token: str
    logprob: Annotated[float, Field(le=0)]
    bytes: TokenBytes


@closed
class ChatTokenLogprob(ChatAlternative):
    """One token, how likely the model found it, and the likeliest ones in its place."""

    top_logprobs: list[ChatAlternative]


@closed
class ChatLogprobs(TypedDict):
    """Log probabilities of the tokens of a text, or of a piece of it."""

    content: list[ChatTokenLogprob]
    refusal: None


def chat_logprobs(entries: Iterable[TokenLogprob], tokenizer: Tokenizer) -> ChatLogprobs:
    """Response model of the log probabilities of some tokens."""

    def alternative(token_id: int, token: str, logprob: float) -> ChatAlternative:
        written = list(tokenizer.piece_bytes[token_id])
        return {"token": token, "logprob": logprob, "bytes": written if written else None}

    content: list[ChatTokenLogprob] = [
        {
            **alternative(entry.token_id, entry.token, entry.logprob),
            "top_logprobs": [
                alternative(token_id, *each)
                for token_id, each in zip(entry.top_ids, entry.top, strict=True)
            ],
        }
        for entry in entries
    ]
    return {"content": content, "refusal": None}
