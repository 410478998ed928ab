"""Decode loop: several steps in one call, each with logits and a sampled id for every row.

On a CPU kernels sample, and where a backend can step a row by a kernel too, all steps of it are one
call that holds no Python lock, so that threads which only hand over text do not stand in its way.
On a GPU all is torch's, so that nothing has to be fetched between two steps.

Shapes: R rows, V vocabulary, T steps. Knows nothing of text and of who is in which row.
"""

import time
from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from model.decoding.backends.base import Backend
from model.decoding.backends.int8 import Int8Backend
from model.decoding.kernels.row_decode import decode
from model.decoding.kernels.row_sampling import Rows, choose_rows, score_rows
from model.decoding.sampling import SamplingRows, Uses, choose, row_sum, uniform
from model.decoding.sampling_state import SamplingState
from model.parameters import MAX_LOGPROBS, SamplingParams

# Rows up to which one kernel may do whole steps, if that is the fastest; tried in this order.
FUSED_ROWS = (4, 8, 16)
TRIALS = 5
PLACES = 64  # scored at once: with a large vocabulary their logits are many


class Outputs(NamedTuple):
    """Ids and log probabilities of some decode steps; K is 0 where no row wants the latter."""

    ids: Tensor  # (T, R) int64
    is_finite: Tensor  # (T, R) bool: False where logits were not numbers and the id means nothing
    logprobs: Tensor  # (T, R, 1 + K) float64, or (T, R, 0): of the chosen id, then the likeliest
    top_ids: Tensor  # (T, R, K) int64: the likeliest ids, the likeliest first


class Scored(NamedTuple):
    """Log probabilities of given ids at N places; K is 0 where no alternatives are wanted."""

    is_finite: Tensor  # (N,) bool: False where the logits were not numbers
    logprobs: Tensor  # (N, 1 + K) float64: of the given id, then the likeliest
    top_ids: Tensor  # (N, K) int64: the likeliest ids, the likeliest first


class DecodeLoop(Protocol):
    """Interface of decode loops: `KernelLoop`, `TorchLoop` and `CudaGraphLoop`."""

    def __call__(
        self, ids: Tensor, steps: int, state: list[Tensor], rows: SamplingRows, uses: Uses
    ) -> Outputs:
        """Choose `steps` ids a row, after `ids` (R,); `state` and `rows` move on in place."""

    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> None:
        """Read the first lengths[r] of ids[r] into each row, longest first. ids: (R, T) int64."""

    def score(
        self, ids: Tensor, following: Tensor, lengths: list[int], state: list[Tensor], most: int
    ) -> Scored:
        """`feed`, and the log probability of each of `following` (R, T) after the id in its place.

        The places are those within `lengths`, row after row; `most` alternatives each.
        """


class BackendLoop(ABC):
    """Base of decode loops over a backend: what feeding and scoring a text have in common."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend

    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> None:
        """Read the first lengths[r] of ids[r] into each row, longest first. ids: (R, T) int64."""
        self.backend.feed(ids, lengths, state)

    def score(
        self, ids: Tensor, following: Tensor, lengths: list[int], state: list[Tensor], most: int
    ) -> Scored:
        """`feed`, and how likely each of `following` (R, T) was; see `DecodeLoop.score`."""
        seen = self.backend.feed(ids, lengths, state)
        ends = torch.tensor(lengths, device=ids.device).unsqueeze(1)
        is_place = torch.arange(ids.shape[1], device=ids.device) < ends
        given = torch.split(following[is_place], PLACES)
        parts = [
            self._scored(self.backend.logits(part), given[index], most)
            for index, part in enumerate(torch.split(seen[is_place], PLACES))
        ]
        return Scored(*(torch.cat(columns) for columns in zip(*parts, strict=True)))

    @abstractmethod
    def _scored(self, logits: Tensor, ids: Tensor, most: int) -> Scored:
        """Log probabilities of ids (N,) by logits (N, V), with `most` alternatives each."""


class KernelLoop(BackendLoop):
    """Decode loop on a CPU: kernels sample, and step the rows of a network that has one."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._fused_rows = 0  # up to so many, one kernel does whole steps
        self._rows: SamplingRows | None = None  # whose memory `_arrays` shows
        self._arrays: Rows = None

    def __call__(
        self, ids: Tensor, steps: int, state: list[Tensor], rows: SamplingRows, uses: Uses
    ) -> Outputs:
        """Choose `steps` ids a row, after `ids` (R,); `state` and `rows` move on in place."""
        arrays, count = self._memory_of(rows), len(ids)
        most = min(MAX_LOGPROBS, rows.bias.shape[1]) if uses.logprobs else 0
        chosen = np.empty((steps, count), np.int64)
        finite = np.ones((steps, count), np.bool_)
        values = np.empty((steps, count, 1 + most if uses.logprobs else 0), np.float64)
        likeliest = np.empty((steps, count, most), np.int64)
        if isinstance(self.backend, Int8Backend) and count <= self._fused_rows:
            hidden, carried = (part.numpy() for part in state)
            weights = self.backend.weights
            decode(weights, ids.numpy(), hidden, carried, arrays, chosen, values, likeliest)
        else:
            for step in range(steps):
                logits = self.backend.step(ids, state).numpy()
                outputs = (chosen[step], finite[step], values[step], likeliest[step])
                choose_rows(logits, arrays, *outputs)
                ids = torch.from_numpy(chosen[step])
        return Outputs(*map(torch.from_numpy, (chosen, finite, values, likeliest)))

    def _scored(self, logits: Tensor, ids: Tensor, most: int) -> Scored:
        count = len(ids)
        finite, likeliest = np.empty(count, np.bool_), np.empty((count, most), np.int64)
        values = np.empty((count, 1 + most), np.float64)
        score_rows(logits.numpy(), ids.numpy(), finite, values, likeliest)
        return Scored(*map(torch.from_numpy, (finite, values, likeliest)))

    def compile(self, vocab_size: int) -> None:
        """Compile all kernels, or fetch them from their folder, by using each of them once.

        And find out by trial for how many rows one kernel does whole steps.
        """
        for rows in (1, 2):
            ids = torch.zeros(rows, 2, dtype=torch.int64)
            self.score(ids, ids, [2] * rows, self.backend.zero_state(rows), 0)
        self._step_seconds(1, vocab_size, fused_rows=0)
        if not isinstance(self.backend, Int8Backend):
            return
        fastest = 2  # on every CPU that was tried, by far
        for rows in FUSED_ROWS:
            fused, apart = (self._step_seconds(rows, vocab_size, limit) for limit in (rows, 0))
            if apart < fused:
                break
            fastest = rows
        self._fused_rows = fastest

    def _step_seconds(self, rows: int, vocab_size: int, fused_rows: int) -> float:
        """Seconds of a step of so many rows: by one kernel if they are at most `fused_rows`."""
        self._fused_rows = fused_rows
        sampling, state = SamplingState(vocab_size), self.backend.zero_state(rows)
        sampling.join([SamplingParams(seed=0)] * rows, [{}] * rows, [[]] * rows)
        ids, times = torch.zeros(rows, dtype=torch.int64), []
        for _ in range(TRIALS):
            start = time.perf_counter()
            self(ids, 1, state, sampling.rows, sampling.uses)
            times.append(time.perf_counter() - start)
        return min(times)

    def _memory_of(self, rows: SamplingRows) -> Rows:
        """Memory of the columns as arrays; they are other ones once a text has joined or left."""
        if self._rows is not rows:
            self._rows = rows
            arrays: list[Any] = [column.numpy() for column in rows]
            self._arrays = SamplingRows(*arrays)
        return self._arrays


class TorchLoop(BackendLoop):
    """Decode loop in torch's operations alone, for a GPU: nothing looks at a value."""

    def __call__(
        self, ids: Tensor, steps: int, state: list[Tensor], rows: SamplingRows, uses: Uses
    ) -> Outputs:
        """Choose `steps` ids a row, after `ids` (R,); `state` and `rows` move on in place."""
        places = torch.arange(steps, device=ids.device).unsqueeze(1)
        uniforms = uniform(rows.seed, rows.position + places)
        chosen: list[Tensor] = []
        finite: list[Tensor] = []
        logprobs: list[Tensor] = []
        top_ids: list[Tensor] = []
        for step in range(steps):
            logits = self.backend.step(ids, state)
            ids, is_finite = choose(logits, rows, uses, uniforms[step])
            values, likeliest = own_logprobs(logits, is_finite, ids, uses.logprobs)
            chosen.append(ids)
            finite.append(is_finite)
            logprobs.append(values)
            top_ids.append(likeliest)
        return Outputs(
            torch.stack(chosen), torch.stack(finite), torch.stack(logprobs), torch.stack(top_ids)
        )

    def _scored(self, logits: Tensor, ids: Tensor, most: int) -> Scored:
        is_finite = torch.isfinite(logits).all(dim=-1)
        return Scored(is_finite, *own_logprobs(logits, is_finite, ids, True, most))


def own_logprobs(
    logits: Tensor, is_finite: Tensor, ids: Tensor, wanted: bool, most: int = MAX_LOGPROBS
) -> tuple[Tensor, Tensor]:
    """Log probabilities of `ids` and of the `most` likeliest ids, before any sampling parameter.

    (R, 1 + K) float64 and the likeliest ids (R, K); without columns where they are not wanted.
    """
    if not wanted:
        return logits.new_empty(logits.shape[0], 0), ids.new_empty(ids.shape[0], 0)
    finite = torch.where(is_finite.unsqueeze(1), logits, 0.0).double()
    shifted = finite - finite.amax(dim=-1, keepdim=True)
    logprobs = shifted - row_sum(shifted.exp()).log()
    values, likeliest = logprobs.topk(min(most, logprobs.shape[1]))
    return torch.cat([logprobs.gather(1, ids.unsqueeze(1)), values], dim=1), likeliest
