"""Log probabilities of a completion in OpenAI's form: four parallel lists, one entry a token.

An entry comes with the text that it has written: a token that is held back, because it may begin
a stop string, comes when its text does, and never when that is cut off. So a stream and a whole
answer hold the same. Knows nothing of HTTP.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Annotated, NamedTuple

from pydantic import Field
from typing_extensions import TypedDict

from model.decoding.generation import TokenLogprob
from model.token_offsets import OffsetCounter
from model.tokenizer import BOS_ID, DOCUMENT_END, Tokenizer
from service.api.openai.prompts import Echo
from service.api.response_models import closed

# A prompt of ids may open with it; nothing is before it, so no log probability is told.
OPENING = TokenLogprob(token_id=BOS_ID, token=DOCUMENT_END, logprob=0.0, top=())


class Placed(NamedTuple):
    """Log probability of a token, and the token's offset in the text."""

    offset: int
    entry: TokenLogprob


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


class DueLogprobs:
    """Log probabilities of the tokens of one text, each due when its own text is shown.

    The end of the document, which writes nothing, is due behind all others.
    """

    def __init__(self, tokenizer: Tokenizer, start: int = 0) -> None:
        """Begin behind `start` characters that are shown already."""
        self._offsets = OffsetCounter(tokenizer, start)
        self._shown = start
        self._waiting: deque[Placed] = deque()

    def due(self, text: str, entries: Iterable[TokenLogprob]) -> list[Placed]:
        """Entries that are due now that `text` was added; `entries` are new."""
        for entry in entries:
            self._waiting.append(Placed(self._offsets.offset_of_next(entry.token_id), entry))
        self._shown += len(text)
        due = []
        while self._waiting and self._is_due(self._waiting[0]):
            due.append(self._waiting.popleft())
        return due

    def _is_due(self, placed: Placed) -> bool:
        return placed.offset < self._shown or placed.entry.token_id == BOS_ID


def echoed(echo: Echo, entries: Iterable[TokenLogprob]) -> CompletionLogprobs:
    """Log probabilities of a prompt that opens a text; nothing precedes the first token."""
    every = chain([OPENING] if echo.opens_document else [], entries)
    placed = [Placed(*each) for each in zip(echo.offsets, every, strict=False)]
    logprobs = listed(placed)
    if placed:
        logprobs["token_logprobs"][0] = logprobs["top_logprobs"][0] = None
    return logprobs


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
