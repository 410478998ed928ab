"""Fp32 backend: the network's own step in float32, in blocks of one shape; any cell, any device.

Float products of different row counts differ in their last bits, so here every product has one
shape, whoever asks: rows are stepped in blocks of `block_rows`, filled up with idle ones, and
prompts are fed row by row, in whole chunks and then id by id. In calls of one shape a row's
numbers do not depend on the others. Nor on where it stands, unless the library shares the rows of
a small product out between threads; `is_position_free` tries that. The price is that one text
costs as much as a block.

Shapes: R rows, L layers, H hidden width, V vocabulary, T steps. Knows nothing of sampling and text.
"""

import torch
from torch import Tensor
from torch.nn import functional

from model.decoding.backends.base import Backend
from model.device import full_precision
from model.network import Network, State

TRIALS = 8
# Elements of a loop that torch shares out between threads on a CPU, from so many on. Where it cuts,
# the last bit of a sigmoid may differ, so a block must stay below.
SHARED_FROM = 32_768


class Fp32Backend(Backend):
    """Backend of float32 arithmetic in blocks of `block_rows` rows, for every cell and device.

    State: hidden (R, L, H), and cell (R, L, H) if any.
    """

    def __init__(self, network: Network, *, block_rows: int, chunk: int) -> None:
        self.network = network
        self.block_rows = block_rows
        self._chunk = chunk

    def zero_state(self, rows: int) -> list[Tensor]:
        """Zero state, that before any text, for `rows` rows."""
        return _parts(self.network.zero_state(rows))

    def step(self, ids: Tensor, state: list[Tensor]) -> Tensor:
        """Logits (R, V) after one more id (R,) int64 a row; `state` moves on in place."""
        logits = []
        for start in range(0, len(ids), self.block_rows):
            block = slice(start, min(start + self.block_rows, len(ids)))
            logits.append(self._step_block(ids[block], [part[block] for part in state]))
        return torch.cat(logits)

    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> Tensor:
        """Read the first lengths[r] of ids[r] into each row. ids: (R, T).

        Returns what the output layer would see after each id (R, T, H).
        """
        seen = state[0].new_zeros(*ids.shape, state[0].shape[2])
        for row, length in enumerate(lengths):
            part = [each[row : row + 1] for each in state]
            seen[row, :length] = self._feed_row(ids[row : row + 1, :length], part)
        return seen

    def logits(self, seen: Tensor) -> Tensor:
        """Logits (N, V) of the output layer's inputs (N, H)."""
        logits = []
        for block in torch.split(seen, self.block_rows):
            idle = self.block_rows - len(block)
            filled = self.network.output(functional.pad(block, (0, 0, 0, idle)))
            logits.append(filled[: len(block)])
        return torch.cat(logits)

    def _step_block(self, ids: Tensor, state: list[Tensor]) -> Tensor:
        idle = self.block_rows - len(ids)
        filled = [functional.pad(part, (0, 0, 0, 0, 0, idle)) for part in state]
        logits, after = self.network.step(functional.pad(ids, (0, idle)), _state(filled))
        _overwrite(state, after)
        return logits[: len(ids)]

    def _feed_row(self, ids: Tensor, state: list[Tensor]) -> Tensor:
        if ids.shape[1] == self._chunk:
            with full_precision(ids.device):  # as the single steps
                seen, after = self.network.read(ids, _state(state))
            _overwrite(state, after)
            return seen[:, 0]
        tops = []
        for step in range(ids.shape[1]):
            top, after = self.network.read_one(ids[:, step], _state(state))
            _overwrite(state, after)
            tops.append(top)
        return torch.cat(tops)


@torch.inference_mode()
def is_position_free(network: Network, rows: int) -> bool:
    """Check by computing that equal rows of one block get equal numbers in every place of it.

    On this machine and with this number of threads: MKL shares out the rows of a product with few
    outputs from three threads on, and gives a share of two rows other last bits than one of three.
    """
    generator = torch.Generator().manual_seed(1)
    for token in range(min(TRIALS, network.config.vocab_size)):
        blank = network.zero_state(rows)
        parts = [part for part in (blank.hidden, blank.cell) if part is not None]
        for part in parts:
            one = torch.rand(part.shape[0], 1, part.shape[2], generator=generator) * 2 - 1
            part.copy_(one.expand_as(part))
        ids = torch.full((rows,), token, dtype=torch.int64, device=network.device)
        logits, after = network.step(ids, blank)
        for part in (logits, *_parts(after)):
            if not torch.equal(part, part[:1].expand_as(part)):
                return False
    return True


def _state(parts: list[Tensor]) -> State:
    """The network's state, layers first, of a backend's, rows first."""
    by_layer = [part.transpose(0, 1) for part in parts]
    return State(by_layer[0].contiguous(), by_layer[1].contiguous() if len(parts) > 1 else None)


def _parts(state: State) -> list[Tensor]:
    parts = [state.hidden] if state.cell is None else [state.hidden, state.cell]
    return [part.transpose(0, 1) for part in parts]


def _overwrite(parts: list[Tensor], state: State) -> None:
    for part, after in zip(parts, _parts(state), strict=True):
        part.copy_(after[: len(part)])
