"""How likely a given text was, id by id, as its chunks go through a decode path.

Held as a few tensors, a hundredth of what as many objects would take. Knows nothing of requests
and threads.
"""

import math
from collections.abc import Iterator, Sequence

from torch import Tensor

from model.decoding.generation import TokenLogprob, token_logprob
from model.tokenizer import Tokenizer


class PromptScores:
    """Of each id of a prompt but the first, which opens it, given all before it; in order."""

    def __init__(self, tokenizer: Tokenizer, ids: Sequence[int], alternatives: int) -> None:
        self.alternatives = alternatives
        self.is_sound = True  # False once the logits at some place were not finite
        self._tokenizer = tokenizer
        self._ids = ids[1:]
        self._chunks: list[tuple[Tensor, Tensor]] = []

    def add(self, is_finite: Tensor, logprobs: Tensor, top_ids: Tensor) -> None:
        """The next few, as a row of `decode_loop.Scored`; more alternatives than wanted will do.

        Copies: views would keep the rows of others alive.
        """
        self.is_sound = self.is_sound and bool(is_finite.all())
        wanted = self.alternatives
        self._chunks.append((logprobs[:, : 1 + wanted].clone(), top_ids[:, :wanted].int()))

    @property
    def nats(self) -> float:
        """The surprisal of the whole text."""
        return -math.fsum(value for values, _ in self._chunks for value in values[:, 0].tolist())

    def __len__(self) -> int:
        return sum(len(values) for values, _ in self._chunks)

    def __iter__(self) -> Iterator[TokenLogprob]:
        ids = iter(self._ids)
        for chunk in self._chunks:
            for values, top_ids in zip(*(part.tolist() for part in chunk), strict=True):
                yield token_logprob(self._tokenizer, next(ids), values, top_ids)
