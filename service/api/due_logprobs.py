"""Due log probabilities: an entry comes with the text that its token has written.

A token that is held back, because it may begin a stop string, comes when its text does, and never
when that is cut off. So a stream, a whole answer and an answer that broke off and went on hold
the same. Knows nothing of HTTP and of the shape of answers.
"""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, Self

from model.decoding.generation import Generation, TokenLogprob
from model.token_offsets import OffsetCounter
from model.tokenizer import BOS_ID, Tokenizer


class Placed(NamedTuple):
    """Log probability of a token, and the token's offset in the text."""

    offset: int
    entry: TokenLogprob


class DueLogprobs:
    """Log probabilities of the tokens of one text, each due when its own text is shown.

    The end of the document, which writes nothing, is due behind all others.
    """

    def __init__(self, tokenizer: Tokenizer, start: int = 0, received: int = 0) -> None:
        """Begin with the token behind `start` characters.

        Tokens of the first `received` characters are the client's already, and never due.
        """
        self._offsets = OffsetCounter(tokenizer, start)
        self._received = received
        self._shown = max(start, received)
        self._waiting: deque[Placed] = deque()

    @classmethod
    def of(
        cls, tokenizer: Tokenizer, generation: Generation, opening: int = 0, received: int = 0
    ) -> Self:
        """Begin with the first token that a text samples, behind an opening of so many characters.

        Of text and opening together the client has received `received` characters.
        """
        return cls(tokenizer, received if generation.num_read else opening, received)

    def due(self, text: str, entries: Iterable[TokenLogprob]) -> list[Placed]:
        """Entries that are due now that `text` was added; `entries` are new."""
        for entry in entries:
            self._waiting.append(Placed(self._offsets.offset_of_next(entry.token_id), entry))
        self._shown += len(text)
        due = []
        while self._waiting and self._is_due(self._waiting[0]):
            due.append(self._waiting.popleft())
        return [each for each in due if each.offset >= self._received]

    def _is_due(self, placed: Placed) -> bool:
        return placed.offset < self._shown or placed.entry.token_id == BOS_ID
