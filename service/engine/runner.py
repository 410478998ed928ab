"""The computing: one loaded checkpoint, the prompts being fed to it and the rows it writes.

The only module of the service that touches torch. Keeps the promise of `model.decoding` by
using nothing but its Prefill and RowBlock. Called by the engine thread alone, so it has no
locks; knows nothing of queues, slots and HTTP.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from model.checkpoint import Checkpoint
from model.decoding import BLOCK_ROWS, Prefill, RowBlock, next_piece
from model.generation import Piece
from model.network import Network, State
from model.sampling import Sampled
from service.engine.request import Request, Stepped


def use_threads(count: int) -> None:
    """How many cores one product may use; to be called once, before anything is computed."""
    torch.set_num_threads(count)


@dataclass(frozen=True, slots=True, eq=False)
class _Seat:
    request: Request
    index: int  # which of the request's texts


class _Block:
    """A RowBlock and who sits in which of its rows; the lowest free row is taken first."""

    def __init__(self, network: Network) -> None:
        self.rows = RowBlock(network)
        self.seats: dict[int, _Seat] = {}
        self._free = list(range(BLOCK_ROWS))

    @property
    def is_full(self) -> bool:
        return not self._free

    def join(self, seat: _Seat, state: State) -> None:
        row = heapq.heappop(self._free)
        self.seats[row] = seat
        self.rows.join(row, seat.request.generations[seat.index], state)

    def leave(self, row: int) -> None:
        del self.seats[row]
        heapq.heappush(self._free, row)
        self.rows.leave(row)


class CheckpointRunner:
    """Implements `service.engine.request.Runner` with a network."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.tokenizer = checkpoint.tokenizer
        self._network = checkpoint.network
        self._prefills: dict[Request, Prefill] = {}
        self._blocks: list[_Block] = []

    def feed(self, request: Request) -> bool:
        """Feed one chunk of the prompt; True when it is fed and its texts have their rows."""
        prefill = self._prefills.get(request)
        if prefill is None:
            prefill = self._prefills[request] = Prefill(self._network, request.prompt.ids)
        if not prefill.is_done:
            prefill.advance()
        if not prefill.is_done:
            return False
        del self._prefills[request]
        for index in range(request.num_rows):
            self._block_with_room().join(_Seat(request, index), prefill.state)
        return True

    def step(self) -> list[Stepped]:
        """One token for every text that has a row; a text that ends gives its row back."""
        return [stepped for block in self._blocks if block.seats for stepped in self._step(block)]

    def drop(self, request: Request) -> None:
        """Forget the request, wherever it stands; nothing happens if it is not known."""
        self._prefills.pop(request, None)
        for block in self._blocks:
            for row in [row for row, seat in block.seats.items() if seat.request is request]:
                block.leave(row)

    def _block_with_room(self) -> _Block:
        for block in self._blocks:
            if not block.is_full:
                return block
        self._blocks.append(_Block(self._network))
        return self._blocks[-1]

    def _step(self, block: _Block) -> Iterator[Stepped]:
        sampled = block.rows.step()
        for row, seat in list(block.seats.items()):
            piece = self._piece(seat, sampled, row)
            if piece is not None and piece.finish_reason is not None:
                block.leave(row)
            yield Stepped(request=seat.request, index=seat.index, piece=piece)

    def _piece(self, seat: _Seat, sampled: Sampled, row: int) -> Piece | None:
        if not sampled.finite_list[row]:
            return None
        return next_piece(self.tokenizer, seat.request.generations[seat.index], sampled, row)
