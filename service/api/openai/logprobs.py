"""Log probabilities of a completion in OpenAI's form: four parallel lists, one entry a token.

An entry comes with the text that it has written: a token that is held back, because it may begin
a stop string, comes when its text does, and never when that is cut off. So a stream and a whole
answer hold the same. Knows nothing of HTTP.
"""

from collections import deque
from collections.abc import Iterable
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from model.decoding.generation import TokenLogprob
from model.token_offsets import OffsetCounter
from model.tokenizer import Tokenizer
from service.api.openai.prompts import Echo
from service.api.response_models import closed


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


class LogprobsWriter:
    """Log probabilities of one choice, as its text grows; `model.token_offsets` says where."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._offsets = OffsetCounter(tokenizer)
        self._shown = 0  # characters of the choice's text so far
        self._waiting: deque[tuple[int, TokenLogprob]] = deque()

    def echoed(self, echo: Echo, entries: Iterable[TokenLogprob]) -> CompletionLogprobs:
        """Entries of the prompt that opens the text; nothing precedes the first token."""
        self._shown = len(echo.text)
        self._offsets = OffsetCounter(self._tokenizer, len(echo.text))
        logprobs = _listed(zip(echo.offsets, entries, strict=False))  # no entry: none was scored
        if logprobs["tokens"]:
            logprobs["token_logprobs"][0] = logprobs["top_logprobs"][0] = None
        return logprobs

    def grown(self, text: str, entries: Iterable[TokenLogprob]) -> CompletionLogprobs:
        """Entries that are due now that `text` was added; `entries` are new."""
        for entry in entries:
            self._waiting.append((self._offsets.offset_of_next(entry.token_id), entry))
        self._shown += len(text)
        due = []
        while self._waiting and self._waiting[0][0] < self._shown:
            due.append(self._waiting.popleft())
        return _listed(due)


def joined(parts: Iterable[CompletionLogprobs]) -> CompletionLogprobs:
    """Concatenate the log probabilities of the parts of a text."""
    whole = _listed(())
    for part in parts:
        whole["tokens"] += part["tokens"]
        whole["token_logprobs"] += part["token_logprobs"]
        whole["top_logprobs"] += part["top_logprobs"]
        whole["text_offset"] += part["text_offset"]
    return whole


def _listed(placed: Iterable[tuple[int, TokenLogprob]]) -> CompletionLogprobs:
    entries = list(placed)
    return {
        "tokens": [entry.token for _, entry in entries],
        "token_logprobs": [entry.logprob for _, entry in entries],
        "top_logprobs": [{**dict(e.top), e.token: e.logprob} for _, e in entries],
        "text_offset": [offset for offset, _ in entries],
    }
