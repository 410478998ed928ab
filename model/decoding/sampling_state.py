"""Sampling state: parameters of the texts of a batch as tensors for `model.decoding.sampling`.

Texts join at the end and leave from anywhere; what they ask becomes columns once, when they
join, and not at every step. Knows nothing of networks and text.
"""

import copy
import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.decoding.sampling import SamplingRows, Uses
from model.parameters import MAX_PENALTY_WINDOW, SamplingParams
from model.tokenizer import BOS_ID, UNK_ID

_NEVER = 2**62  # a position that no text comes to
_FILTERS = ("temperature", "top_k", "top_p", "min_p", "typical_p")
_PENALTIES = ("repetition_penalty", "frequency_penalty", "presence_penalty")


class SamplingState:
    """Sampling tensors of a batch as `rows`, and the parts of sampling it needs as `uses`."""

    def __init__(self, vocab_size: int, device: torch.device | None = None) -> None:
        self._vocab_size = vocab_size
        self._device = device
        self._params: list[SamplingParams] = []
        self.rows = self._columns([], [], [])
        self.uses = uses_of([])

    def join(
        self,
        params: Sequence[SamplingParams],
        biases: Sequence[Mapping[int, float]],
        prompts: Sequence[Sequence[int]],
        breaks: NDArray[np.int8] | None = None,
        positions: Sequence[int] | None = None,
    ) -> None:
        """Add texts in new rows behind the others.

        Each has parameters with a seed, biases by token id, and the ids that its penalties see,
        of which the last `positions` are the text's own; none by default.
        `breaks` (V,) says what each token is to a line (`token_marks.breaks_of`); without it no
        text ends softly.
        """
        joined = self._columns(params, biases, prompts, breaks, positions)
        pairs = zip(self.rows, joined, strict=True)
        self.rows = SamplingRows(*(torch.cat(pair) for pair in pairs))
        self._params += params
        self.uses = uses_of(self._params)

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Keep these rows, in this order, and drop all others."""
        places = torch.tensor(rows, dtype=torch.int64, device=self._device)
        self.rows = SamplingRows(*(column.index_select(0, places) for column in self.rows))
        self._params = [self._params[row] for row in rows]
        self.uses = uses_of(self._params)

    def reseed(self, seeds: Sequence[int]) -> None:
        """Give each row another seed, for the positions from here on."""
        self.rows = self.rows._replace(seed=_integers(seeds).to(self._device))
        pairs = zip(self._params, seeds, strict=True)
        self._params = [each.model_copy(update={"seed": seed}) for each, seed in pairs]

    def copy_of(self, row: int) -> "SamplingState":
        """Copy of one row, as a state of its own."""
        copied = copy.copy(self)
        copied.keep_rows([row])
        return copied

    def put(self, row: int, alone: "SamplingState") -> None:
        """Make a row what the only row of `alone` is."""
        for column, other in zip(self.rows, alone.rows, strict=True):
            column[row] = other[0]
        self.rows = SamplingRows(*self.rows)  # a new one: who holds a copy looks at which it is of

    def note(self, ids: Tensor) -> None:
        """Count ids (R,), one a row, as sampled: penalties see them, and positions move on."""
        rows = self.rows
        rows.recent.scatter_(1, (rows.written % rows.window).unsqueeze(1), ids.unsqueeze(1))
        rows.written.add_(1)
        rows.latest.copy_(ids)
        rows.position.add_(1)

    def _columns(
        self,
        params: Sequence[SamplingParams],
        biases: Sequence[Mapping[int, float]],
        prompts: Sequence[Sequence[int]],
        breaks: NDArray[np.int8] | None = None,
        positions: Sequence[int] | None = None,
    ) -> SamplingRows:
        fields = {
            name: _column([getattr(each, name) for each in params])
            for name in (*_FILTERS, *_PENALTIES)
        }
        is_greedy = fields["temperature"].squeeze(1) == 0
        recent, written = self._rings(params, prompts)
        rows = SamplingRows(
            seed=_integers([_seed(each) for each in params]),
            position=_integers([0] * len(params) if positions is None else positions),
            latest=_integers([ids[-1] if ids else BOS_ID for ids in prompts]),
            min_tokens=_integers([each.min_tokens for each in params]),
            soft_end=_integers([_soft_end(each) for each in params]),
            breaks=self._breaks(len(params), breaks),
            bias=self._bias(biases),
            recent=recent,
            written=written,
            window=_integers([each.penalty_window for each in params]),
            is_greedy=is_greedy,
            temperature=fields["temperature"].masked_fill(is_greedy.unsqueeze(1), 1.0),
            top_k=fields["top_k"].masked_fill(fields["top_k"] == 0, math.inf),
            top_p=fields["top_p"],
            min_p=fields["min_p"],
            typical_p=fields["typical_p"],
            repetition=fields["repetition_penalty"],
            frequency=fields["frequency_penalty"],
            presence=fields["presence_penalty"],
        )
        return SamplingRows(*(column.to(self._device) for column in rows))

    def _bias(self, biases: Sequence[Mapping[int, float]]) -> Tensor:
        bias = torch.zeros(len(biases), self._vocab_size, dtype=torch.float64)
        for row, by_id in enumerate(biases):
            for token_id, value in by_id.items():
                bias[row, token_id] = value
        bias[:, UNK_ID] = -math.inf
        return bias

    def _breaks(self, count: int, breaks: NDArray[np.int8] | None) -> Tensor:
        if breaks is None:
            return torch.zeros(count, self._vocab_size, dtype=torch.int8)
        return torch.from_numpy(breaks).repeat(count, 1)

    def _rings(
        self, params: Sequence[SamplingParams], prompts: Sequence[Sequence[int]]
    ) -> tuple[Tensor, Tensor]:
        recent = torch.full((len(params), MAX_PENALTY_WINDOW), self._vocab_size)
        seen = [ids[-each.penalty_window :] for each, ids in zip(params, prompts, strict=True)]
        for row, ids in enumerate(seen):
            recent[row, : len(ids)] = torch.tensor(ids, dtype=torch.int64)
        return recent, _integers([len(ids) for ids in seen])


def uses_of(params: Sequence[SamplingParams]) -> Uses:
    """Parts of sampling that any of these texts needs."""
    return Uses(
        greedy=any(each.temperature == 0 for each in params),
        early_end=any(each.min_tokens > 0 for each in params),
        penalties=any(_is_penalised(each) for each in params),
        soft_end=any(each.soft_end is not None for each in params),
        ranked=any(each.top_k != 0 or each.top_p != 1 for each in params),
        min_p=any(each.min_p != 0 for each in params),
        typical=any(each.typical_p != 1 for each in params),
        logprobs=any(each.logprobs is not None for each in params),
    )


def _is_penalised(params: SamplingParams) -> bool:
    return (
        params.repetition_penalty != 1
        or params.frequency_penalty != 0
        or params.presence_penalty != 0
    )


def _soft_end(params: SamplingParams) -> int:
    return _NEVER if params.soft_end is None else params.soft_end


def _seed(params: SamplingParams) -> int:
    if params.seed is None:
        raise ValueError("parameters need a seed before a row can use them")
    return params.seed


def _column(values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64).unsqueeze(1)


def _integers(values: Sequence[int]) -> Tensor:
    return torch.tensor(values, dtype=torch.int64)
