"""Prompt scores: log probability of each token of a given text, as its chunks are fed.

Held as a few tensors, a hundredth of what as many objects would take. Knows nothing of requests
and threads.
"""

import math
from collections.abc import Iterator, Sequence

from torch import Tensor

from model.decoding.generation import TokenLogprob, token_logprob
from model.tokenizer import Tokenizer


class PromptScores:
    """Log probabilities of a prompt's ids, each given all before it, with alternatives; in order.

    All ids but the first, which opens the prompt.
    """

    def __init__(self, tokenizer: Tokenizer, ids: Sequence[int], alternatives: int) -> None:
        self.alternatives = alternatives
        self.is_finite = True  # False once the logits at some place were not finite
        self._tokenizer = tokenizer
        self._ids = ids[1:]
        self._chunks: list[tuple[Tensor, Tensor]] = []

    def add(self, is_finite: Tensor, logprobs: Tensor, top_ids: Tensor) -> None:
        """Add scores of the next few ids, a row of `decode_loop.Scored`; surplus alternatives go.

        Copies: views would keep the rows of others alive.
        """
        self.is_finite = self.is_finite and bool(is_finite.all())
        wanted = self.alternatives
        self._chunks.append((logprobs[:, : 1 + wanted].clone(), top_ids[:, :wanted].int()))

    @property
    def nats(self) -> float:
        """Surprisal of the whole text, in nats."""
        return -math.fsum(value for values, _ in self._chunks for value in values[:, 0].tolist())

    def __len__(self) -> int:
        return sum(len(values) for values, _ in self._chunks)

    def __iter__(self) -> Iterator[TokenLogprob]:
        return self.of_chunks(0, len(self._chunks))

    def of_chunks(self, first: int, last: int) -> Iterator[TokenLogprob]:
        """Log probabilities of the chunks from `first` to before `last`, as they were added."""
        ids = iter(self._ids[sum(len(values) for values, _ in self._chunks[:first]) :])
        for chunk in self._chunks[first:last]:
            for values, top_ids in zip(*(part.tolist() for part in chunk), strict=True):
                yield token_logprob(self._tokenizer, next(ids), values, top_ids)
