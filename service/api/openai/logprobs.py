"""OpenAI's `logprobs` of a completion: four parallel lists, one entry a token.

An entry is told with the text that it has written: a token that is held back, because it may
begin a stop string, comes when its text does, and never when that is cut off. So a stream and a
whole answer tell the same. Knows nothing of HTTP.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from model.decoding.generation import TokenLogprob
from model.tokenizer import Tokenizer


class LegacyLogprobs:
    """The entries of one choice, as its text grows.

    A token stands where its text begins; one of several that write a character together, where
    that character does.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = tokenizer.stream_decoder()
        self._shown = 0  # characters of the answer's text so far
        self._end = 0  # where the text of the next token begins
        self._waiting: deque[tuple[int, TokenLogprob]] = deque()

    def echoed(self, prompt: str, entries: Iterable[TokenLogprob]) -> dict[str, Any]:
        """The entries of the prompt that opens the text; nothing precedes the first token."""
        placed = [(offset, entry) for offset, entry in self._placed(entries)]
        # A character that was folded into several has moved those behind it; the text is as sent.
        self._shown = self._end = len(prompt)
        self._decoder = self._tokenizer.stream_decoder()  # what follows begins with a whole one
        told = _listed((min(offset, len(prompt) - 1), entry) for offset, entry in placed)
        for name in ("token_logprobs", "top_logprobs"):
            told[name][:1] = [None] * len(told[name][:1])
        return told

    def grown(self, text: str, entries: Iterable[TokenLogprob]) -> dict[str, Any]:
        """The entries that are due now that `text` was added; `entries` are new."""
        self._waiting.extend(self._placed(entries))
        self._shown += len(text)
        due = []
        while self._waiting and self._waiting[0][0] < self._shown:
            due.append(self._waiting.popleft())
        return _listed(due)

    def _placed(self, entries: Iterable[TokenLogprob]) -> Iterator[tuple[int, TokenLogprob]]:
        """Each with the place where its text begins."""
        for entry in entries:
            yield self._end, entry
            self._end += len(self._decoder.feed((entry.token_id,)))


def joined(parts: Iterable[dict[str, Any] | None]) -> dict[str, Any]:
    """What several answers have told, as one."""
    whole = _listed(())
    for part in parts:
        for name, values in (part or {}).items():
            whole[name].extend(values)
    return whole


def _listed(placed: Iterable[tuple[int, TokenLogprob]]) -> dict[str, Any]:
    entries = list(placed)
    return {
        "tokens": [entry.token for _, entry in entries],
        "token_logprobs": [entry.logprob for _, entry in entries],
        "top_logprobs": [{**dict(e.top), e.token: e.logprob} for _, e in entries],
        "text_offset": [offset for offset, _ in entries],
    }
