"""The rows that are written together: texts join, take some steps, and leave.

A row's numbers do not depend on its neighbours (see `model.paths`), so rows come and go between
two steps without a trace in the others. Shapes: R rows, V vocabulary, T steps.
Knows nothing of text, requests and threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from model.generation import Generation
from model.paths import Decoder
from model.sampler import Sampler


@dataclass(frozen=True, kw_only=True, eq=False)
class Sampled:
    """What some steps chose: tensors, and lists (fetched once) for whoever reads them."""

    ids: Tensor  # (T, R) int64
    is_finite: Tensor  # (T, R) bool: False where logits were not numbers and the id means nothing
    logprobs: Tensor  # (T, R, V) float64: the model's own, before any parameter; or nothing

    @cached_property
    def num_steps(self) -> int:
        """T."""
        return len(self.ids)

    @cached_property
    def sound_ids(self) -> list[list[int]]:
        """For each row the ids before its first step that was not finite."""
        sound = self.is_finite.long().cumprod(dim=0).sum(dim=0)
        # One copy from the device for all of it.
        *ids, counts = torch.cat([self.ids, sound.unsqueeze(0)]).tolist()
        columns = zip(*ids, strict=True)
        return [list(column[:count]) for column, count in zip(columns, counts, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Newcomer:
    generation: Generation
    state: list[Tensor]


class RowBatch:
    """R rows, each writing one text; the rows are numbered as they stand."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._state = decoder.zero_state(0)
        self._inputs = torch.zeros(0, dtype=torch.int64, device=decoder.device)
        self._sampler = Sampler(decoder.vocab_size, decoder.device)
        self._newcomers: list[_Newcomer] = []

    def __len__(self) -> int:
        return len(self._inputs) + len(self._newcomers)

    def join(self, generation: Generation, state: list[Tensor]) -> None:
        """Let a text go on, in the last row, from the state of a finished Prefill of its prompt.

        `state` is one row, and is not changed.
        """
        self._newcomers.append(_Newcomer(generation=generation, state=state))

    def keep(self, rows: Sequence[int]) -> None:
        """Only these rows go on, numbered anew in this order."""
        self._settle()
        places = torch.tensor(rows, dtype=torch.int64, device=self._decoder.device)
        self._state = [part.index_select(0, places) for part in self._state]
        self._inputs = self._inputs.index_select(0, places)
        self._sampler.keep(rows)

    @torch.inference_mode()
    def step(self, count: int = 1) -> Sampled:
        """Choose the next `count` tokens of every row; there must be a row."""
        self._settle()
        ids, is_finite, logprobs = self._decoder.program(
            self._inputs, count, self._state, self._sampler.rows, self._sampler.uses
        )
        self._inputs = ids[-1].clone()  # `ids` may be overwritten by the next call
        return Sampled(ids=ids, is_finite=is_finite, logprobs=logprobs)

    @torch.inference_mode()
    def _settle(self) -> None:
        """Make rows of the newcomers: all at once, since each tensor grows by a copy."""
        if not self._newcomers:
            return
        newcomers, self._newcomers = self._newcomers, []
        generations = [newcomer.generation for newcomer in newcomers]
        columns = zip(self._state, *(newcomer.state for newcomer in newcomers), strict=True)
        self._state = [torch.cat(column) for column in columns]
        prompts = [generation.prompt.ids for generation in generations]
        last = torch.tensor([ids[-1] for ids in prompts], device=self._decoder.device)
        self._inputs = torch.cat([self._inputs, last])
        self._sampler.join(
            [generation.params for generation in generations],
            [generation.bias for generation in generations],
            [ids[1:] for ids in prompts],  # `<s>` is no character: penalties look behind it
        )
