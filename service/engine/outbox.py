"""Outbox: bounded buffer of generated text between the engine's thread and one HTTP thread.
A reader that falls too far behind is ended (`slow_reader`).

One or several requests write into it for their one reader.

The engine puts pieces of a few tokens; the reader takes them merged: the first at once, then by
time, the last at once, so that a stream costs one wake-up an interval and not one a character.
A piece is what a call of the decoder added to one text; a delta is the pieces of one text that
waited, merged, and what an event of a stream carries. Their tokens are called written in the
engine, which writes them, and generated in the API, which tells of them: the same tokens.
What waits is bounded (`max_pending`): of a reader that falls too far behind the engine is told by
OutboxFullError, and it ends the stream as `slow_reader`.
Knows nothing of models, slots or HTTP.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from model.decoding.generation import Piece, TokenLogprob
from model.decoding.stopping import FinishReason
from service.engine.failure import Failure, RequestFailedError
from service.timeouts import FLUSH_INTERVAL_PER_READER_S, FLUSH_INTERVAL_S

MAX_PENDING = 65_536  # tokens and alternatives that may wait for a reader of a few texts
MAX_PENDING_OF_TEXT = 1024  # and of each of many: a call of the engine may add a third of that


class FlushInterval:
    """Interval at which readers take what waits, one for all readers of an engine.

    Every piece that is taken costs Python some time, which the engine needs too. So with many
    readers each takes its text in coarser pieces; `least_s` is the interval of a few, in seconds.
    """

    def __init__(self, least_s: float = FLUSH_INTERVAL_S) -> None:
        self._least_s = least_s
        self.num_readers = 0  # set by the engine's thread at every tick

    @property
    def seconds(self) -> float:
        """Seconds between two pieces of one stream."""
        return max(self._least_s, self.num_readers * FLUSH_INTERVAL_PER_READER_S)


def max_pending(num_texts: int) -> int:
    """Bound of an outbox of so many texts, in tokens and alternatives that may wait."""
    return max(MAX_PENDING, num_texts * MAX_PENDING_OF_TEXT)


class OutboxFullError(Exception):
    """Raised to the engine: more waits than may, the reader is too slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """Pieces of one text merged into one: what it has gained since the last delta."""

    index: int  # which of the request's texts
    text: str
    num_tokens: int
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: FinishReason | None = None
    stop_reason: str | None = None


@dataclass(slots=True)
class _Pending:
    pieces: list[Piece] = field(default_factory=list)

    def merged(self, index: int) -> Delta:
        last = self.pieces[-1]
        return Delta(
            index=index,
            text="".join(piece.text for piece in self.pieces),
            num_tokens=sum(piece.num_tokens for piece in self.pieces),
            logprobs=tuple(entry for piece in self.pieces for entry in piece.logprobs),
            finish_reason=last.finish_reason,
            stop_reason=last.stop_reason,
        )


class Outbox:
    """Bounded buffer with one writing thread (the engine's) and one reader (an HTTP thread).

    `max_pending` counts tokens and alternatives; `clock` gives monotonic seconds. The outbox is
    closed when each of `num_requests` has closed it, or one of them with a failure.
    """

    def __init__(
        self,
        num_requests: int = 1,
        *,
        flush_interval: FlushInterval | None = None,
        max_pending: int = MAX_PENDING,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.flush_interval = FlushInterval() if flush_interval is None else flush_interval
        self._max_pending = max_pending
        self._clock = clock
        self._changed = threading.Condition()
        self._pending: dict[int, _Pending] = {}
        self._size = 0
        self._next_flush = 0.0  # the first piece goes at once
        self._num_open = num_requests
        self._failure: Failure | None = None

    def put(self, index: int, piece: Piece) -> None:
        """Add a piece of text number `index`. Raises OutboxFullError when too much waits."""
        size = piece.num_tokens
        if piece.logprobs:
            size += sum(1 + len(entry.top) for entry in piece.logprobs)
        with self._changed:
            if self._size + size > self._max_pending:
                raise OutboxFullError
            self._size += size
            self._pending.setdefault(index, _Pending()).pieces.append(piece)
            # Before the next flush the reader sleeps by time; waking it would be for nothing.
            if piece.finish_reason is not None or self._clock() >= self._next_flush:
                self._changed.notify()

    def close(self, failure: Failure | None = None) -> None:
        """End the writing of one request: its texts are whole, or `failure` says why not."""
        with self._changed:
            self._num_open -= 1
            if self._failure is None:
                self._failure = failure
            self._changed.notify()

    @property
    def _is_closed(self) -> bool:
        return self._num_open <= 0 or self._failure is not None

    @property
    def is_done(self) -> bool:
        """Whether everything was taken and nothing more comes."""
        with self._changed:
            return self._is_closed and not self._pending and self._failure is None

    def take(self, timeout_s: float) -> list[Delta]:
        """Take the deltas as soon as they are due; none if `timeout_s` seconds pass before.

        Raises RequestFailedError once all text that was written before the failure is taken.
        """
        deadline = self._clock() + timeout_s
        with self._changed:
            while not self._is_due() and (left := self._until_worth_a_look(deadline)) > 0:
                self._changed.wait(left)
            if not self._is_due():
                return []
            if not self._pending and self._failure is not None:
                raise RequestFailedError(self._failure)
            return self._empty()

    def _is_due(self) -> bool:
        if self._is_closed:
            return True
        return bool(self._pending) and (
            self._clock() >= self._next_flush or self._has_ending_piece()
        )

    def _has_ending_piece(self) -> bool:
        return any(
            pending.pieces[-1].finish_reason is not None for pending in self._pending.values()
        )

    def _until_worth_a_look(self, deadline: float) -> float:
        now = self._clock()
        # With pieces waiting the next flush is due by time; else a put will wake the reader,
        # though not before the flush time, so that is when to look again.
        look_at = min(deadline, self._next_flush) if self._next_flush > now else deadline
        return look_at - now

    def _empty(self) -> list[Delta]:
        deltas = [pending.merged(index) for index, pending in sorted(self._pending.items())]
        self._pending.clear()
        self._size = 0
        self._next_flush = self._clock() + self.flush_interval.seconds
        return deltas
