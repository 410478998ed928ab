"""Rate counter: how many texts each client has taken in the windows of one or more rates.

Counts lie in this process or in a storage that several share. Where that is lost they go on in this
process, and back when it is there again. Knows nothing of Flask.
"""

import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import cast

import structlog
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from service.timeouts import MAX_RATE_STORAGE_PAUSE_S, RATE_STORAGE_TIMEOUT_S

STORAGE_OPTIONS: dict[str, str | int] = {
    "socket_connect_timeout": RATE_STORAGE_TIMEOUT_S,
    "socket_timeout": RATE_STORAGE_TIMEOUT_S,
    "wrap_exceptions": True,
}
ROUNDED_S = 0.5  # Redis tells the rest of a window in whole seconds, the nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Window of a rate for one client: how many texts are left in it, and when it ends."""

    rate: RateLimitItem
    left: int
    ends_at: float  # in seconds since 1970

    @property
    def is_untouched(self) -> bool:
        """Window that has not begun: True before its first text."""
        return self.left == self.rate.amount


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Outcome of a request for texts: the windows behind it, and which of them refused it."""

    windows: Sequence[Window]  # of all rates, the shortest first
    refusing: Sequence[Window] = ()  # those with fewer texts left than were asked for

    @property
    def decisive(self) -> Window:
        """Window to tell the client of: the refusing one that ends last, else the shortest."""
        return max(self.refusing, key=lambda each: each.ends_at, default=self.windows[0])


class RateCounter:
    """Counter of the texts that clients take, by `rates` such as `60/minute;1000/hour`.

    `storage` is where they are counted: `memory://` is this process, `redis://...` is shared.
    """

    def __init__(self, rates: str, storage: str) -> None:
        self._rates = sorted(parse_many(rates), key=lambda rate: rate.get_expiry())
        self._own = _Counts(MemoryStorage(), is_shared=False)
        self._shared = None
        if not storage.startswith("memory:"):
            shared = storage_from_string(storage, **STORAGE_OPTIONS)
            self._shared = _SharedCounts(cast(Storage, shared))

    @property
    def smallest(self) -> RateLimitItem:
        """Rate that takes the fewest texts in one window."""
        return min(self._rates, key=lambda rate: rate.amount)

    def take(self, client: str, num_texts: int) -> Taken:
        """Take texts from every rate of a client, or from none where one has fewer left."""
        if self._shared is not None and self._shared.is_there():
            try:
                return self._shared.take(self._rates, client, num_texts)
            except StorageError:
                if self._shared.lose():
                    self._own.forget()
        return self._own.take(self._rates, client, num_texts)


class _Counts:
    """Counts of all clients in one storage."""

    def __init__(self, storage: Storage, *, is_shared: bool) -> None:
        self._storage = storage
        self._windows = FixedWindowRateLimiter(storage)  # one number a client
        self._rounded_s = ROUNDED_S if is_shared else 0.0
        # In this process nobody comes between the look and the taking. In a shared storage another
        # may, whose texts then do not fit: nobody gets more than a rate, and few are refused early.
        self._alone: AbstractContextManager[object] = (
            nullcontext() if is_shared else threading.Lock()
        )

    def take(self, rates: Sequence[RateLimitItem], client: str, num_texts: int) -> Taken:
        """Take texts from every rate, or from none. Raises StorageError."""
        with self._alone:
            windows = [self._window(rate, client) for rate in rates]
            refusing = [window for window in windows if window.left < num_texts]
            if refusing:
                return Taken(windows=windows, refusing=refusing)
            behind = [self._taken(window, client, num_texts) for window in windows]
        refusing = [window for window in behind if window.left < 0]
        return Taken(windows=behind, refusing=[replace(each, left=0) for each in refusing])

    def forget(self) -> None:
        """Begin anew."""
        self._storage.reset()

    def _window(self, rate: RateLimitItem, client: str) -> Window:
        stats = self._windows.get_window_stats(rate, *_key(client))
        ends_at = stats.reset_time + self._rounded_s
        return Window(rate=rate, left=stats.remaining, ends_at=ends_at)

    def _taken(self, window: Window, client: str, num_texts: int) -> Window:
        """Window behind the taking; one that was spent meanwhile has fewer than none left."""
        rate = window.rate
        is_within = self._windows.hit(rate, *_key(client), cost=num_texts)
        left = window.left - num_texts if is_within else -1
        is_new = window.is_untouched
        ends_at = time.time() + rate.get_expiry() if is_new else window.ends_at
        return replace(window, left=left, ends_at=ends_at)


class _SharedCounts(_Counts):
    """Counts in a storage that may be lost, and is looked for again after ever longer pauses."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage, is_shared=True)
        self._lock = threading.Lock()  # guards the two below
        self._pause_s = 0.0  # until it is looked for again; 0 while it is there
        self._look_at = 0.0

    def is_there(self) -> bool:
        """Storage that answers: True as far as is known; a lost one is looked for when due."""
        with self._lock:
            if not self._pause_s:
                return True
            if time.monotonic() < self._look_at:
                return False
            self._wait_longer()
        if not self._storage.check():
            return False
        with self._lock:
            self._pause_s = 0.0
        structlog.get_logger().info("rate_storage_back")
        return True

    def lose(self) -> bool:
        """Note that the storage did not answer; True for the first who sees it."""
        with self._lock:
            if self._pause_s:
                return False
            self._wait_longer()
        structlog.get_logger().warning("rate_storage_lost")
        return True

    def _wait_longer(self) -> None:
        self._pause_s = min(max(1.0, 2 * self._pause_s), MAX_RATE_STORAGE_PAUSE_S)
        self._look_at = time.monotonic() + self._pause_s


def _key(client: str) -> tuple[str, str]:
    return ("strophe", client)
