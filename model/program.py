"""The loop of decoding: some steps in a row, each of logits and a choice for every row.

One loop for every decode path. Where a path can be compiled, TorchScript runs the whole loop in
one call that holds no Python lock, so that threads which only hand over text do not stand in
its way; the same code runs as Python where it cannot, with the same bits.

Shapes: R rows, V vocabulary, T steps. Knows nothing of text and of who is in which row.
"""

import warnings
from typing import cast

import torch
from torch import Tensor, nn

from model.decode_path import DecodePath
from model.sampling import SamplingRows, Uses, choose, uniform


class Program(nn.Module):
    """A decode path, stepped and sampled from."""

    def __init__(self, path: DecodePath) -> None:
        super().__init__()
        self.path = path

    def forward(
        self, ids: Tensor, steps: int, state: list[Tensor], rows: SamplingRows, uses: Uses
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Choose `steps` ids for each row, after `ids` (R,); `state` and `rows` move on in place.

        Returns the ids (T, R) int64; whether the logits were finite (T, R) bool, without which
        an id means nothing; and the model's own log probabilities (T, R, V) float64, before any
        parameter, or nothing where no row wants them.
        """
        places = torch.arange(steps, device=ids.device).unsqueeze(1)
        uniforms = uniform(rows.seed, rows.position + places)
        chosen: list[Tensor] = []
        finite: list[Tensor] = []
        logprobs: list[Tensor] = []
        for step in range(steps):
            logits = self.path(ids, state)
            ids, is_finite = choose(logits, rows, uses, uniforms[step])
            chosen.append(ids)
            finite.append(is_finite)
            if uses.logprobs:
                sound = torch.where(is_finite.unsqueeze(1), logits, 0.0).double()
                logprobs.append(torch.log_softmax(sound, dim=-1))
        every_logprob = torch.stack(logprobs) if uses.logprobs else torch.empty(0)
        return torch.stack(chosen), torch.stack(finite), every_logprob

    @torch.jit.export
    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> None:
        """Read the first lengths[r] of ids[r] into each row, longest first. ids: (R, T) int64."""
        self.path.feed(ids, lengths, state)


def compiled(program: Program) -> Program:
    """The same program, run by TorchScript."""
    with warnings.catch_warnings():
        # Nothing else runs Python-free without a C++ compiler on the user's machine. Where torch
        # drops it, the program runs as it is, a third slower at one row.
        warnings.simplefilter("ignore", DeprecationWarning)
        return cast("Program", torch.jit.script(program))
