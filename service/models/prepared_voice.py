"""Prepared voice: what a model needs to compose poems, made when one is first asked for.

It takes seconds of CPU and some memory, which a service that writes no poems in forms does not
spend. A thread of its own makes it, so that whoever waits can leave. Knows nothing of HTTP.
"""

import threading
from collections.abc import Callable

from verse.composer.voice import Voice


class PreparedVoice:
    """Voice of one model, made by `make` at first use, once, whoever waits for it."""

    def __init__(self, make: Callable[[], Voice]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_made = threading.Event()
        self._voice: Voice | None = None
        self._error: BaseException | None = None
        self.num_waiting = 0

    def wait(self, timeout_s: float) -> Voice | None:
        """Wait for the voice, which is begun if need be; None after `timeout_s` seconds.

        Raises what the making of it raised; the next one who waits has it tried again.
        """
        with self._lock:
            if self._thread is None:
                self._is_made.clear()
                self._error = None
                self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
                self._thread.start()
            self.num_waiting += 1
        self._is_made.wait(timeout_s)
        with self._lock:
            self.num_waiting -= 1
            if self._error is not None:
                raise self._error
            return self._voice

    def _run(self) -> None:
        try:
            voice = self._make()
        except BaseException as error:  # noqa: BLE001 - for whoever waits
            with self._lock:
                self._error, self._thread = error, None
        else:
            with self._lock:
                self._voice = voice
        self._is_made.set()
