"""Log probabilities of a completion in OpenAI's form: four parallel lists, one entry a token.

Knows nothing of HTTP.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from model.decoding.generation import TokenLogprob
from model.tokenizer import BOS_ID, DOCUMENT_END
from service.api.due_logprobs import Placed
from service.api.openai.prompts import Echo
from service.api.response_models import closed

# A prompt of ids may open with it; nothing is before it, so no log probability is told.
OPENING = TokenLogprob(token_id=BOS_ID, token=DOCUMENT_END, logprob=0.0, top=())


@closed
class CompletionLogprobs(TypedDict):
    """Four lists with an entry a token."""

    tokens: list[str]
    token_logprobs: Annotated[
        list[float | None], Field(description="null for an echoed prompt's first")
    ]
    top_logprobs: list[dict[str, float] | None]
    text_offset: Annotated[
        list[int], Field(description="where the token begins in the choice's text")
    ]


def echoed(echo: Echo, entries: Iterable[TokenLogprob]) -> CompletionLogprobs:
    """Log probabilities of a prompt that opens a text; nothing precedes the first token."""
    every = chain([OPENING] if echo.opens_document else [], entries)
    placed = [Placed(*each) for each in zip(echo.offsets, every, strict=False)]
    logprobs = listed(placed)
    if placed:
        logprobs["token_logprobs"][0] = logprobs["top_logprobs"][0] = None
    return logprobs


def behind(start: int, logprobs: CompletionLogprobs) -> CompletionLogprobs:
    """Log probabilities of the tokens that begin at the offset `start` or behind it."""
    first = sum(offset < start for offset in logprobs["text_offset"])
    return {
        "tokens": logprobs["tokens"][first:],
        "token_logprobs": logprobs["token_logprobs"][first:],
        "top_logprobs": logprobs["top_logprobs"][first:],
        "text_offset": logprobs["text_offset"][first:],
    }


def joined(parts: Iterable[CompletionLogprobs]) -> CompletionLogprobs:
    """Concatenate the log probabilities of the parts of a text."""
    whole = listed(())
    for part in parts:
        whole["tokens"] += part["tokens"]
        whole["token_logprobs"] += part["token_logprobs"]
        whole["top_logprobs"] += part["top_logprobs"]
        whole["text_offset"] += part["text_offset"]
    return whole


def listed(placed: Sequence[Placed]) -> CompletionLogprobs:
    """Four lists of the entries."""
    entries = [each.entry for each in placed]
    return {
        "tokens": [entry.token for entry in entries],
        "token_logprobs": [entry.logprob for entry in entries],
        "top_logprobs": [{**dict(e.top), e.token: e.logprob} for e in entries],
        "text_offset": [each.offset for each in placed],
    }
