"""Ctrl-C and SIGTERM: an exception that undoes what was begun, or a request to stop in good order.

Knows nothing of what is interrupted.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal came. Like KeyboardInterrupt not an Exception: nothing on the way handles it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


@contextmanager
def raise_on_signal() -> Iterator[None]:
    """While the block runs, a signal raises Interrupted wherever the program is."""

    def handle(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number)

    with _handled_by(handle):
        yield


@dataclass(slots=True)
class StopRequest:
    """Set by a signal, looked at between steps."""

    signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None


@contextmanager
def request_stop_on_signal(request: StopRequest) -> Iterator[None]:
    """While the block runs, the first signal sets `request`; a second one is handled as before."""

    def handle(number: int, _frame: FrameType | None) -> None:
        request.signal = number
        for caught, handler in previous.items():
            signal.signal(caught, handler)

    with _handled_by(handle) as previous:
        yield


_Handler = Callable[[int, FrameType | None], object] | int | None


@contextmanager
def _handled_by(
    handle: Callable[[int, FrameType | None], None],
) -> Iterator[dict[signal.Signals, _Handler]]:
    previous: dict[signal.Signals, _Handler] = {
        caught: signal.getsignal(caught) for caught in STOP_SIGNALS
    }
    try:
        for caught in STOP_SIGNALS:
            signal.signal(caught, handle)
        yield previous
    finally:
        for caught, handler in previous.items():
            signal.signal(caught, handler)
