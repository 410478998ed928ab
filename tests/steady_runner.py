"""A runner without a network: for tests of what the engine does around a step."""

import time
from collections.abc import Callable, Sequence

from model.decoding.generation import Piece
from service.engine.request import Request, Stepped
from verse.poem import ComposedLine


class SteadyRunner:
    """Writes "a" for ever, or does what `on_step` does."""

    fed_together = 1
    scored_together = 1

    def __init__(self, on_step: Callable[[Request], Piece] | None = None) -> None:
        self.rows: list[Request] = []
        self.num_steps = 0
        self._on_step = on_step

    def feed(self, requests: Sequence[Request]) -> list[Request]:
        self.rows += requests
        return list(requests)

    def step(self, count: int) -> list[Stepped]:
        time.sleep(0.001)
        self.num_steps += 1
        return [
            Stepped(request=request, index=0, piece=self._piece(request))
            for request in list(self.rows)
        ]

    def compose(self, request: Request) -> list[ComposedLine]:
        time.sleep(0.001)
        return [] if request.composition is None else request.composition.advance(None)

    def drop(self, request: Request) -> None:
        if request in self.rows:
            self.rows.remove(request)

    def _piece(self, request: Request) -> Piece:
        return Piece(text="a") if self._on_step is None else self._on_step(request)
