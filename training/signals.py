"""Signal handling (Ctrl-C, SIGTERM): an exception that undoes what was begun, or a stop request.

Knows nothing of what is interrupted.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn, TypeVar

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTIBLE = "interruptible work"  # name of its thread

Result = TypeVar("Result")


class Interrupted(BaseException):
    """Signal that interrupts the program wherever it is.

    Like KeyboardInterrupt not an Exception: nothing on the way handles it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"stopped by {signal.Signals(number).name}")
        self.number = number


@contextmanager
def raise_on_signal() -> Iterator[None]:
    """Raise Interrupted on a signal, wherever the program is, while the block runs."""

    def handle(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(number)

    with _handled_by(handle):
        yield


def interruptible(work: Callable[[], Result]) -> Result:
    """Run `work` in a thread of its own, so that a signal is handled while it computes.

    Python handles signals in its main thread and between its own instructions, and one call of
    torch may take minutes. After a signal the thread goes on, unheard, as nothing can stop it:
    see `end_process`.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            errors.append(error)

    thread = threading.Thread(target=run, name=INTERRUPTIBLE, daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def end_process(code: int) -> NoReturn:
    """End the process with `code`, without waiting for work that a signal has interrupted.

    The interpreter would take down what a thread of torch still computes with, and crash.
    """
    if any(thread.name == INTERRUPTIBLE for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


@dataclass(slots=True)
class StopRequest:
    """Request to stop in good order, set by a signal and looked at between steps."""

    signal: int | None = None

    def __bool__(self) -> bool:
        return self.signal is not None


@contextmanager
def request_stop_on_signal(request: StopRequest) -> Iterator[None]:
    """Set `request` on the first signal while the block runs; a second is handled as before."""

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
