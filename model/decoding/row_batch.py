"""Row batch: texts that are decoded together, one a row; they join, take some steps, and leave.

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
from model.decoding.sampling_state import SamplingState


class Sampled:
    """Sampled ids and log probabilities of some steps, as lists: fetched from the device once."""

    def __init__(self, outputs: Outputs) -> None:
        self.outputs = outputs
        self.num_steps = len(outputs.ids)

    @cached_property
    def finite_ids(self) -> list[list[int]]:
        """Ids of each row before its first step with logits that were not finite."""
        finite = self.outputs.is_finite.long().cumprod(dim=0).sum(dim=0)
        # One copy from the device for all of it.
        *ids, counts = torch.cat([self.outputs.ids, finite.unsqueeze(0)]).tolist()
        columns = zip(*ids, strict=True)
        return [list(column[:count]) for column, count in zip(columns, counts, strict=True)]

    @cached_property
    def logprobs(self) -> list[list[list[float]]]:
        """Log probabilities [step][row] of the chosen id and the likeliest; empty if not wanted."""
        values: list[list[list[float]]] = self.outputs.logprobs.tolist()
        return values

    @cached_property
    def top_ids(self) -> list[list[list[int]]]:
        """Likeliest ids [step][row], the likeliest first; empty if not wanted."""
        ids: list[list[list[int]]] = self.outputs.top_ids.tolist()
        return ids


@dataclass(frozen=True, slots=True, kw_only=True)
class _Newcomer:
    generation: Generation
    state: list[Tensor]


class RowBatch:
    """Batch of R rows that are decoded together, each a text; rows are numbered as they stand."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._state = decoder.zero_state(0)
        self._inputs = torch.zeros(0, dtype=torch.int64, device=decoder.device)
        self._sampling = SamplingState(decoder.vocab_size, decoder.device)
        self._newcomers: list[_Newcomer] = []

    def __len__(self) -> int:
        return len(self._inputs) + len(self._newcomers)

    def join(self, generation: Generation, state: list[Tensor]) -> None:
        """Add a text as the last row, from the state of a finished Prefill of its prompt.

        `state` is one row, and is not changed.
        """
        self._newcomers.append(_Newcomer(generation=generation, state=state))

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Keep these rows, numbered anew in this order, and drop all others."""
        self._settle()
        places = torch.tensor(rows, dtype=torch.int64, device=self._decoder.device)
        state = [part.index_select(0, places) for part in self._state]
        inputs = self._inputs.index_select(0, places)
        self._sampling.keep_rows(rows)
        self._state, self._inputs = state, inputs

    def fork(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Keep these rows, as often as each is named, and give each a seed of its own from here on.

        The random number of a position is a function of (seed, position), so copies of one row that
        kept its seed would write the same text.
        """
        self.keep_rows(rows)
        self._sampling.reseed(seeds)

    @torch.inference_mode()
    def step(self, count: int = 1, bias: Tensor | None = None) -> Sampled:
        """Sample the next `count` tokens of every row; there must be a row.

        `bias` (R, V) float64 is added to the logits of these steps alone; -inf bans.
        """
        self._settle()
        rows = self._sampling.rows
        if bias is not None:
            rows = rows._replace(bias=rows.bias + bias)
        outputs = self._decoder.loop(self._inputs, count, self._state, rows, self._sampling.uses)
        self._inputs = outputs.ids[-1].clone()
        return Sampled(outputs)

    @torch.inference_mode()
    def advance(self) -> Tensor:
        """Logits (R, V) of every row's next token, which the caller chooses and gives to `take`."""
        self._settle()
        return self._decoder.backend.step(self._inputs, self._state)

    @torch.inference_mode()
    def take(self, ids: Sequence[int]) -> None:
        """Make `ids`, one a row, the tokens that follow `advance`, as if they had been sampled."""
        self._inputs = torch.tensor(ids, dtype=torch.int64, device=self._decoder.device)
        self._sampling.note(self._inputs)

    @torch.inference_mode()
    def _settle(self) -> None:
        """Make the newcomers rows, all at once, since each tensor grows by a copy."""
        if not self._newcomers:
            return
        newcomers = self._newcomers
        generations = [newcomer.generation for newcomer in newcomers]
        columns = zip(self._state, *(newcomer.state for newcomer in newcomers), strict=True)
        state = [torch.cat(column) for column in columns]
        prompts = [generation.prompt.ids for generation in generations]
        last = torch.tensor([ids[-1] for ids in prompts], device=self._decoder.device)
        inputs = torch.cat([self._inputs, last])
        self._sampling.join(
            [generation.params for generation in generations],
            [generation.bias for generation in generations],
            [ids[1:] for ids in prompts],  # `<s>` is no character: penalties look behind it
        )
        # Only now: where memory ran out above, the rows are as they were.
        self._state, self._inputs, self._newcomers = state, inputs, []
