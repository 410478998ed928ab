"""Row batch: texts that are decoded together, one a row; they join, take some steps, and leave.

A row's numbers do not depend on its neighbours (see `model.decoding.decoder`), so rows come and
go between two steps without a trace in the others, and one may go back some tokens. Shapes: R
rows, T steps, V vocabulary.
Knows nothing of text, requests and threads.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from model.decoding.avoidance import Drawn, Redraw
from model.decoding.decode_loop import Outputs
from model.decoding.decoder import Decoder
from model.decoding.generation import Generation
from model.decoding.row_past import RowPast
from model.decoding.sampling_state import SamplingState


class Sampled:
    """Sampled ids and log probabilities of some steps, as lists: fetched from the device once."""

    def __init__(self, outputs: Outputs, batch: "RowBatch | None" = None) -> None:
        self.outputs = outputs
        self._batch = batch
        self.num_steps = len(outputs.ids)

    @cached_property
    def finite_ids(self) -> list[list[int]]:
        """Ids of each row before its first step with logits that were not finite."""
        finite = self.outputs.is_finite.long().cumprod(dim=0).sum(dim=0)
        # One copy from the device for all of it.
        *ids, counts = torch.cat([self.outputs.ids, finite.unsqueeze(0)]).tolist()
        columns = zip(*ids, strict=True)
        return [list(column[:count]) for column, count in zip(columns, counts, strict=True)]

    def drawn(self, row: int) -> list[Drawn]:
        """Tokens of a row before its first step with logits that were not finite."""
        ids = self.finite_ids[row]
        if self.outputs.logprobs.shape[2] == 0:
            return [Drawn(token_id=each) for each in ids]
        return [
            Drawn(token_id=each, logprobs=self.logprobs[step][row], top_ids=self.top_ids[step][row])
            for step, each in enumerate(ids)
        ]

    def is_finite(self, row: int) -> bool:
        """Finiteness of a row: True where its logits were finite numbers in all steps."""
        return len(self.finite_ids[row]) == self.num_steps

    def redraw(self, row: int, order: Redraw) -> "Sampled":
        """Take the row back and draw again, see `RowBatch.redraw`; before any row comes or goes."""
        assert self._batch is not None  # noqa: S101 - ids that no batch has sampled are final
        return self._batch.redraw(row, order)

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


@dataclass(slots=True)
class Rows:
    """Running rows: what a decode loop moves on in place."""

    decoder: Decoder
    state: list[Tensor]
    inputs: Tensor  # (R,) int64: the last token of each
    sampling: SamplingState

    def copy_of(self, row: int) -> "Rows":
        """Copy of one row, which moves on by itself."""
        return Rows(
            self.decoder,
            [part[row : row + 1].clone() for part in self.state],
            self.inputs[row : row + 1].clone(),
            self.sampling.copy_of(row),
        )

    def put(self, row: int, alone: "Rows") -> None:
        """Make a row what the only row of `alone` is."""
        for part, other in zip(self.state, alone.state, strict=True):
            part[row] = other[0]
        self.inputs[row] = alone.inputs[0]
        self.sampling.put(row, alone.sampling)

    def step(self, count: int, bias: Tensor | None) -> Outputs:
        """Sample the next `count` tokens of every row; `bias` (R, V) is added to the logits."""
        rows = self.sampling.rows
        if bias is not None:
            rows = rows._replace(bias=rows.bias + bias)
        outputs = self.decoder.loop(self.inputs, count, self.state, rows, self.sampling.uses)
        self.inputs = outputs.ids[-1].clone()
        return outputs

    def advance(self) -> Tensor:
        """Logits (R, V) of every row's next token, which `take` is to name."""
        return self.decoder.backend.step(self.inputs, self.state)

    def take(self, ids: Sequence[int]) -> None:
        """Make `ids`, one a row, the tokens that follow `advance`."""
        self.inputs = torch.tensor(ids, dtype=torch.int64, device=self.decoder.device)
        self.sampling.note(self.inputs)

    def read(self, ids: Sequence[int]) -> None:
        """Read ids into the only row, as if they had been sampled."""
        if self.decoder.is_exact:  # so in one go to the same state
            read = torch.cat([self.inputs, torch.tensor(ids[:-1], dtype=torch.int64)])
            self.decoder.loop.feed(read.unsqueeze(0), [len(ids)], self.state)
            for token_id in ids:
                self.inputs = torch.tensor([token_id])
                self.sampling.note(self.inputs)
            return
        for token_id in ids:
            self.advance()
            self.take([token_id])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Newcomer:
    generation: Generation
    state: list[Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Returning:
    """Text that may go back, and its row's past."""

    generation: Generation
    past: RowPast[Rows] = field(default_factory=RowPast)


class RowBatch:
    """Batch of R rows that are decoded together, each a text; rows are numbered as they stand."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        inputs = torch.zeros(0, dtype=torch.int64, device=decoder.device)
        sampling = SamplingState(decoder.vocab_size, decoder.device)
        self._rows = Rows(decoder, decoder.zero_state(0), inputs, sampling)
        self._newcomers: list[_Newcomer] = []
        self._returning: list[_Returning | None] = []  # by row

    def __len__(self) -> int:
        return len(self._rows.inputs) + len(self._newcomers)

    def join(self, generation: Generation, state: list[Tensor]) -> None:
        """Add a text as the last row, from the state of a finished Prefill of its `fed_ids`.

        `state` is one row, and is not changed.
        """
        self._newcomers.append(_Newcomer(generation=generation, state=state))

    def keep_rows(self, rows: Sequence[int]) -> None:
        """Keep these rows, numbered anew in this order, and drop all others."""
        self._settle()
        places = torch.tensor(rows, dtype=torch.int64, device=self._decoder.device)
        state = [part.index_select(0, places) for part in self._rows.state]
        inputs = self._rows.inputs.index_select(0, places)
        self._rows.sampling.keep_rows(rows)
        self._returning = [self._returning[row] for row in rows]
        self._rows.state, self._rows.inputs = state, inputs

    def fork(self, rows: Sequence[int], seeds: Sequence[int]) -> None:
        """Keep these rows, as often as each is named, and give each a seed of its own from here on.

        The random number of a position is a function of (seed, position), so copies of one row that
        kept its seed would write the same text.
        """
        self.keep_rows(rows)
        self._rows.sampling.reseed(seeds)

    @torch.inference_mode()
    def step(self, count: int = 1, bias: Tensor | None = None) -> Sampled:
        """Sample the next `count` tokens of every row; there must be a row.

        `bias` (R, V) float64 is added to the logits of these steps alone; -inf bans.
        """
        self._settle()
        for row, text in self._texts_that_return():
            if text.past.is_copy_due:
                text.past.keep(self._rows.copy_of(row), needed=text.generation.num_tokens)
        sampled = Sampled(self._rows.step(count, bias), self)
        for row, text in self._texts_that_return():
            text.past.note(sampled.finite_ids[row])
        return sampled

    @torch.inference_mode()
    def redraw(self, row: int, order: Redraw) -> Sampled:
        """Take a row back to before the token at `order.position`, and draw that one again.

        From there on the row has the order's seed; its banned ids are banned for this one token.
        Only the row of a text that avoids words keeps its past.
        """
        text = self._returning[row]
        assert text is not None  # noqa: S101 - nobody else is ordered to
        copied, ids = text.past.back_to(order.position)
        alone = copied.copy_of(0)
        if ids:
            alone.read(ids)
            text.past.keep(alone.copy_of(0), needed=text.generation.num_tokens)
        alone.sampling.reseed([order.seed])
        bias = torch.zeros(1, self._decoder.vocab_size, dtype=torch.float64)
        bias[0, sorted(order.banned)] = -math.inf
        sampled = Sampled(alone.step(1, bias.to(self._decoder.device)))
        text.past.note(sampled.finite_ids[0])
        self._rows.put(row, alone)
        return sampled

    def _texts_that_return(self) -> list[tuple[int, _Returning]]:
        return [(row, text) for row, text in enumerate(self._returning) if text is not None]

    @torch.inference_mode()
    def advance(self) -> Tensor:
        """Logits (R, V) of every row's next token, which the caller chooses and gives to `take`."""
        self._settle()
        return self._rows.advance()

    @torch.inference_mode()
    def take(self, ids: Sequence[int]) -> None:
        """Make `ids`, one a row, the tokens that follow `advance`, as if they had been sampled."""
        self._rows.take(ids)

    @torch.inference_mode()
    def _settle(self) -> None:
        """Make the newcomers rows, all at once, since each tensor grows by a copy."""
        if not self._newcomers:
            return
        newcomers = self._newcomers
        generations = [newcomer.generation for newcomer in newcomers]
        columns = zip(self._rows.state, *(newcomer.state for newcomer in newcomers), strict=True)
        state = [torch.cat(column) for column in columns]
        fed = [generation.fed_ids for generation in generations]
        last = torch.tensor([ids[-1] for ids in fed], device=self._decoder.device)
        inputs = torch.cat([self._rows.inputs, last])
        self._rows.sampling.join(
            [generation.params for generation in generations],
            [generation.bias for generation in generations],
            [ids[1:] for ids in fed],  # `<s>` is no character: penalties look behind it
            generations[0].breaks,
            [generation.num_read for generation in generations],
        )
        # Only now: where memory ran out above, the rows are as they were.
        self._rows.state, self._rows.inputs, self._newcomers = state, inputs, []
        self._returning += [
            None if each.avoidance is None else _Returning(generation=each) for each in generations
        ]
