"""Publishing: what requests gain goes into their outboxes, and they end, on every way out.

Part of the engine, whose lock guards the scheduler; to be called by the engine's thread, but for
`end`. Knows nothing of tensors and HTTP.
"""

import threading

from model.decoding.generation import Piece
from service.engine.failure import Failure
from service.engine.outbox import OutboxFullError
from service.engine.request import EngineObserver, Outcome, Request
from service.engine.scheduler import Scheduler
from verse.poem import ComposedLine


class Publisher:
    """Publisher of texts and lines, and of ends, to readers and metrics.

    `changed` is the engine's lock; `end` and `end_unwritten` are called with it held.
    """

    def __init__(
        self,
        scheduler: Scheduler[Request],
        observer: EngineObserver,
        changed: threading.Condition,
    ) -> None:
        self._scheduler = scheduler
        self._observer = observer
        self._changed = changed

    def publish(self, request: Request, index: int, piece: Piece) -> None:
        """Put a piece of text `index` into the outbox; the text, or a slow reader's request, ends.

        Nothing happens where the request has ended already.
        """
        # Ended: another of its texts has failed in this very call. No token: so has this one.
        if request.is_ended or not piece.num_tokens:
            return
        if (waited := request.note_first_piece()) is not None:
            self._observer.first_piece(request.model, waited)
        try:
            request.outbox.put(request.first_index + index, piece)
        except OutboxFullError:
            self.end_and_drop(request, "error", Failure.SLOW_READER)
            return
        if piece.finish_reason is not None:
            self._finish_text(request)

    def publish_lines(self, request: Request, lines: list[ComposedLine]) -> None:
        """Tell the reader of a composition's lines, and end the request where it is done."""
        for line in lines:
            text = line.text + "\n"
            self.publish(request, 0, Piece(text=text, num_tokens=len(text)))
        composition = request.composition
        if request.is_ended or composition is None or not composition.is_done:
            return
        with self._changed:
            self._scheduler.remove(request)
            if composition.error is None:
                self.end(request, request.written_outcome)
            else:
                self.end(request, "error", Failure.FORM)

    def _finish_text(self, request: Request) -> None:
        with self._changed:
            # Not request.is_written: of texts that end in one step, some may be unpublished.
            if self._scheduler.release_row(request):
                self.end(request, request.written_outcome)

    def end_and_drop(self, request: Request, outcome: Outcome, failure: Failure) -> None:
        """End a request that may hold rows or a half-fed prompt, and let its runner forget it."""
        with self._changed:
            if request.is_ended:
                return
            self._scheduler.remove(request)
            self.end(request, outcome, failure)
        request.runner.drop(request)

    def end_unwritten(self, request: Request) -> None:
        """End a request that asks for no text: max_tokens is 0, or there are no generations."""
        request.put_empty_endings()
        self.end(request, request.written_outcome)

    def end(self, request: Request, outcome: Outcome, failure: Failure | None = None) -> None:
        """End a request that has left the scheduler, and close its outbox."""
        seconds = request.end(outcome, failure)
        self._observer.ended(request.model, outcome, seconds)
        request.outbox.close(failure)
