"""The rows that are written together: texts join, take some steps, and leave.

A row's numbers do not depend on its neighbours (see `model.decoding.decoder`), so rows come and
go between two steps without a trace in the others. Shapes: R rows, T steps.
Knows nothing of text, requests and threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from model.decoding.decode_loop import Outputs
from model.decoding.decoder import Decoder
from model.decoding.generation import Generation
from model.decoding.sampling_state import Sampler


class Sampled:
    """What some steps chose, as lists: fetched once for whoever reads them."""

    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs
        self.num_steps = len(outputs.ids)

    @cached_property
    def sound_ids(self) -> list[list[int]]:
        """For each row the ids before its first step that was not finite."""
        sound = self.outputs.is_finite.long().cumprod(dim=0).sum(dim=0)
        # One copy from the device for all of it.
        *ids, counts = torch.cat([self.outputs.ids, sound.unsqueeze(0)]).tolist()
        columns = zip(*ids, strict=True)
        return [list(column[:count]) for column, count in zip(columns, counts, strict=True)]

    @cached_property
    def logprobs(self) -> list[list[list[float]]]:
        """[step][row]: that of the chosen id, then those of the likeliest; empty if not wanted."""
        values: list[list[list[float]]] = self.outputs.logprobs.tolist()
        return values

    @cached_property
    def top_ids(self) -> list[list[list[int]]]:
        """[step][row]: the likeliest ids, the likeliest first; empty if not wanted."""
        ids: list[list[list[int]]] = self.outputs.top_ids.tolist()
        return ids


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
        state = [part.index_select(0, places) for part in self._state]
        inputs = self._inputs.index_select(0, places)
        self._sampler.keep(rows)
        self._state, self._inputs = state, inputs

    @torch.inference_mode()
    def step(self, count: int = 1) -> Sampled:
        """Choose the next `count` tokens of every row; there must be a row."""
        self._settle()
        outputs: Outputs = self._decoder.program(
            self._inputs, count, self._state, self._sampler.rows, self._sampler.uses
        )
        self._inputs = outputs.ids[-1].clone()
        return Sampled(outputs)

    @torch.inference_mode()
    def _settle(self) -> None:
        """Make rows of the newcomers: all at once, since each tensor grows by a copy."""
        if not self._newcomers:
            return
        newcomers = self._newcomers
        generations = [newcomer.generation for newcomer in newcomers]
        columns = zip(self._state, *(newcomer.state for newcomer in newcomers), strict=True)
        state = [torch.cat(column) for column in columns]
        prompts = [generation.prompt.ids for generation in generations]
        last = torch.tensor([ids[-1] for ids in prompts], device=self._decoder.device)
        inputs = torch.cat([self._inputs, last])
        self._sampler.join(
            [generation.params for generation in generations],
            [generation.bias for generation in generations],
            [ids[1:] for ids in prompts],  # `<s>` is no character: penalties look behind it
        )
        # Only now: where memory ran out above, the rows are as they were.
        self._state, self._inputs, self._newcomers = state, inputs, []
