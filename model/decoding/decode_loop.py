"""Decode loop: several steps in one call, each with logits and a sampled id for every row.

One loop for every backend. Where a backend can be compiled, TorchScript runs the whole loop in
one call that holds no Python lock, so that threads which only hand over text do not stand in
its way; the same code runs as Python where it cannot, with the same bits.

Shapes: R rows, V vocabulary, T steps. Knows nothing of text and of who is in which row.
"""

import logging
import warnings
from typing import NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn

from model.decoding.backends.base import Backend
from model.decoding.sampling import SamplingRows, Uses, choose, row_sum, uniform
from model.parameters import MAX_LOGPROBS

PLACES = 64  # scored at once: with a large vocabulary their logits are many

_log = logging.getLogger(__name__)


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
    """Interface of decode loops: `BackendLoop`, as it is or compiled, and `CudaGraphLoop`."""

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


class BackendLoop(nn.Module):
    """Decode loop over a backend, in the form that TorchScript can compile; see `compiled`."""

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.backend = backend
        self._places = PLACES

    def forward(
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
            logits = self.backend(ids, state)
            ids, is_finite = choose(logits, rows, uses, uniforms[step])
            values, likeliest = own_logprobs(logits, is_finite, ids, uses.logprobs)
            chosen.append(ids)
            finite.append(is_finite)
            logprobs.append(values)
            top_ids.append(likeliest)
        return Outputs(
            torch.stack(chosen), torch.stack(finite), torch.stack(logprobs), torch.stack(top_ids)
        )

    @torch.jit.export
    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> None:
        """Read the first lengths[r] of ids[r] into each row, longest first. ids: (R, T) int64."""
        self.backend.feed(ids, lengths, state)

    @torch.jit.export
    def score(
        self, ids: Tensor, following: Tensor, lengths: list[int], state: list[Tensor], most: int
    ) -> Scored:
        """`feed`, and how likely each of `following` (R, T) was; see `DecodeLoop.score`."""
        seen = self.backend.feed(ids, lengths, state)
        ends = torch.tensor(lengths, device=ids.device).unsqueeze(1)
        is_place = torch.arange(ids.shape[1], device=ids.device) < ends
        finite: list[Tensor] = []
        logprobs: list[Tensor] = []
        top_ids: list[Tensor] = []
        given = torch.split(following[is_place], self._places)
        for index, part in enumerate(torch.split(seen[is_place], self._places)):
            logits = self.backend.logits(part)
            is_finite = torch.isfinite(logits).all(dim=-1)
            values, likeliest = own_logprobs(logits, is_finite, given[index], True, most)
            finite.append(is_finite)
            logprobs.append(values)
            top_ids.append(likeliest)
        return Scored(torch.cat(finite), torch.cat(logprobs), torch.cat(top_ids))


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


def compiled(loop: BackendLoop) -> BackendLoop:
    """Compile a decode loop with TorchScript; where that fails, the loop itself, of the same bits.

    TorchScript needs the source files as they were imported, and a torch that still has it.
    """
    with warnings.catch_warnings():
        # Deprecated, but what torch names in its place needs a C++ compiler on the user's machine.
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            return cast("BackendLoop", torch.jit.script(loop))
        except (RuntimeError, OSError, AttributeError) as error:
            _log.warning("decoding runs as plain Python, a third slower at one row: %s", error)
            return loop
