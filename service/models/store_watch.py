"""Watcher of a store: a thread that keeps a mirror of it, whose folder the registry looks at.

A store that cannot be read takes nothing away: what was fetched is served on, also after a restart.
What is wrong with it is told, and logged once. Knows nothing of Flask.
"""

import threading
from pathlib import Path

import structlog

from model.stores.address import StoreError
from model.stores.mirror import Mirror
from service.timeouts import THREAD_STOP_TIMEOUT_S


class StoreWatch:
    """Watcher of the store behind a mirror, which looks at it every `poll_s` seconds."""

    def __init__(self, mirror: Mirror, poll_s: float) -> None:
        self._mirror = mirror
        self._poll_s = poll_s
        self._log = structlog.get_logger()
        # Replaced as a whole by the watcher, so readers need no lock.
        self._trouble: str | None = None
        self._refused: dict[str, str] = {}  # reasons by name
        self._has_looked = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="store", daemon=True)

    @property
    def address(self) -> str:
        """Address of the store."""
        return self._mirror.address

    @property
    def folder(self) -> Path:
        """Folder that holds what was fetched."""
        return self._mirror.folder

    @property
    def has_looked(self) -> bool:
        """First look: True once what was in the store is here, or cannot be had."""
        return self._has_looked.is_set()

    @property
    def trouble(self) -> str | None:
        """Reason why not all that lies in the store is served; None where all is well."""
        if self._trouble is not None:
            return self._trouble
        return "; ".join(f"{name}: {why}" for name, why in self._refused.items()) or None

    def start(self) -> None:
        """Start the watcher."""
        self._thread.start()

    def stop(self, timeout_s: float = THREAD_STOP_TIMEOUT_S) -> None:
        """End the watcher, waiting at most `timeout_s` seconds for it."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def look(self) -> None:
        """Look at the store once."""
        try:
            refused = self._mirror.look()
        except (StoreError, OSError) as error:  # the latter of the cache's own disk
            self._tell_trouble(str(error))
            return
        self._tell_trouble(None)
        for name in refused:
            if refused[name] != self._refused.get(name):
                self._log.warning("store_refused", model=name, reason=refused[name])
        self._refused = refused

    def _tell_trouble(self, trouble: str | None) -> None:
        if trouble is not None and self._trouble is None:
            self._log.warning("store_lost", store=self.address, reason=trouble)
        if trouble is None and self._trouble is not None:
            self._log.info("store_back", store=self.address)
        self._trouble = trouble

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self.look()
            self._has_looked.set()
            self._stopped.wait(self._poll_s)
