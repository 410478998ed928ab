"""Registry of the models on offer: loads new and replaced checkpoint folders, drops removed ones,
and publishes the catalogue.

A watcher thread looks every few seconds. A replaced checkpoint is swapped in whole: requests
already running keep the one they began with, which is dropped with the last of them. A broken
folder is refused with one log line, and what was served under its name goes on.
Knows nothing of Flask, and of tensors only that there is a loader.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import structlog

from model.errors import ModelError
from service.models.catalogue import Catalogue
from service.models.discovery import Candidate, FolderIdentity, candidate_at, candidates
from service.models.served_model import LoadedModel, ServedModel
from service.models.store_watch import StoreWatch
from service.timeouts import STORE_CHECK_S, THREAD_STOP_TIMEOUT_S


class LoadObserver(Protocol):
    """Interface of the registry to the metrics; called on its watcher's thread."""

    def checkpoint_loaded(
        self, model: str, backend: str, *, fingerprint: str, generation: int
    ) -> None:
        """Count a checkpoint that is about to be offered; `backend` is what decodes it."""

    def checkpoint_refused(self) -> None:
        """Count a checkpoint that could not be read."""

    def checkpoint_removed(self, model: str) -> None:
        """Remove the series of a model that is no longer on offer."""


class Registry:
    """Registry of models by name, kept up to date by a watcher thread of its own.

    `checkpoints` are folders of checkpoint folders, `shipped` those checkpoint folders that come
    with the service, the default first; of one name the first is preferred, in this order.
    `stores` keep the folders that mirror a store. `load` reads one checkpoint folder.
    `default_model` serves requests that name no model; without it, the catalogue says which. The
    watcher looks every `poll_s` seconds.
    """

    def __init__(
        self,
        *,
        checkpoints: Sequence[Path],
        shipped: Sequence[Path],
        load: Callable[[Path], LoadedModel],
        observer: LoadObserver,
        default_model: str | None = None,
        poll_s: float = 2.0,
        stores: Sequence[StoreWatch] = (),
    ) -> None:
        self.stores = stores
        self._checkpoints = checkpoints
        self._shipped = shipped
        self._load = load
        self._observer = observer
        self._poll_s = poll_s
        self._log = structlog.get_logger()
        # Replaced as a whole by the watcher, so readers need no lock.
        self._catalogue = Catalogue(chosen_default=default_model)
        self._refused: dict[Path, FolderIdentity] = {}
        self._num_loaded: Counter[str] = Counter()  # by name, also of those that are gone
        self._has_scanned = threading.Event()
        self._on_first_scan: Callable[[], None] = lambda: None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="checkpoints", daemon=True)

    def start(self, on_first_scan: Callable[[], None] = lambda: None) -> None:
        """Start the watcher, which calls back once every checkpoint there is has been tried."""
        self._on_first_scan = on_first_scan
        for store in self.stores:
            store.start()
        self._thread.start()

    def stop(self, timeout_s: float = THREAD_STOP_TIMEOUT_S) -> None:
        """End the watcher, waiting at most `timeout_s` seconds for it."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        for store in self.stores:
            store.stop(timeout_s)

    def wait_for_first_scan(self, timeout_s: float) -> bool:
        """Wait until every checkpoint there is has been tried; False after `timeout_s` seconds."""
        return self._has_scanned.wait(timeout_s)

    @property
    def catalogue(self) -> Catalogue:
        """Models on offer at this moment."""
        return self._catalogue

    def scan(self) -> None:
        """Look at the folders once: drop what is gone, load what is new or replaced."""
        found = self._found()
        self._forget_gone(found)
        shipped = tuple(folder.name for folder in self._shipped if folder.name in found)
        untried = [name for name in found if any(self._untried(name, found[name]))]
        self._publish(loading=frozenset(untried), shipped=shipped)
        for name in untried:
            self._update(name, found[name])
        self._publish(is_complete=True)

    def _publish(self, **changes: Any) -> None:
        self._catalogue = replace(self._catalogue, **changes)

    def _forget_gone(self, found: Mapping[str, list[Candidate]]) -> None:
        served = self._catalogue.served
        gone = served.keys() - found.keys()
        self._publish(served={name: served[name] for name in served if name not in gone})
        for name in gone:
            self._observer.checkpoint_removed(name)
            self._log.info("checkpoint_removed", model=name)
        folders = {source.folder for sources in found.values() for source in sources}
        self._refused = {each: self._refused[each] for each in self._refused if each in folders}

    def _found(self) -> dict[str, list[Candidate]]:
        """Candidates by name, the preferred one first."""
        found: dict[str, list[Candidate]] = {}
        own = (candidate for parent in self._checkpoints for candidate in candidates(parent))
        ships = (candidate_at(folder) for folder in self._shipped if folder.is_dir())
        for candidate in (*own, *ships):
            found.setdefault(candidate.name, []).append(candidate)
        return found

    def _untried(self, name: str, sources: list[Candidate]) -> Iterator[Candidate]:
        """Candidates of one name that are to be tried until one can be loaded, in their order."""
        current = self._catalogue.served.get(name)
        for source in sources:
            if current is not None and current.source == source:
                return
            if self._refused.get(source.folder) != source.identity:
                yield source
            if current is not None and current.source.folder == source.folder:
                return  # its replacement is broken; the old one goes on

    def _update(self, name: str, sources: list[Candidate]) -> None:
        attempts = (self._try_to_load(source) for source in self._untried(name, sources))
        loaded = next((model for model in attempts if model is not None), None)
        catalogue = self._catalogue
        served = catalogue.served if loaded is None else {**catalogue.served, name: loaded}
        # Offered at once: the next folder may take long to load.
        self._publish(served=served, loading=catalogue.loading - {name})

    def _try_to_load(self, source: Candidate) -> ServedModel | None:
        try:
            if not source.has_servable_name:
                raise ModelError("the folder's name cannot be a model's: letters, digits and ._+-")
            loaded = self._load(source.folder)
        except Exception as error:  # noqa: BLE001 - the supervised border: the others must be served
            self._refused[source.folder] = source.identity
            self._observer.checkpoint_refused()
            self._log.error(
                "checkpoint_refused",
                folder=str(source.folder),
                reason=_reason(error),
                exc_info=not isinstance(error, ModelError | OSError | MemoryError),
            )
            return None
        self._refused.pop(source.folder, None)
        self._num_loaded[source.name] += 1
        served = ServedModel.from_folder(loaded, source, self._num_loaded[source.name])
        self._observer.checkpoint_loaded(
            served.name,
            served.runner.backend_name,
            fingerprint=served.fingerprint,
            generation=served.generation,
        )
        self._log.info(
            "checkpoint_loaded",
            model=source.name,
            folder=str(source.folder),
            path=loaded.runner.backend_name,
            fingerprint=served.fingerprint,
            generation=served.generation,
        )
        return served

    def _watch(self) -> None:
        # First, or a model that a store has would be served as another place has it.
        while not all(store.has_looked for store in self.stores):
            if self._stopped.wait(STORE_CHECK_S):
                return
        while not self._stopped.is_set():
            self.scan()
            if not self._has_scanned.is_set():
                self._on_first_scan()
                self._has_scanned.set()
            self._stopped.wait(self._poll_s)


def _reason(error: Exception) -> str:
    """Reason of a refusal in words; an error that no user can mend is told with its kind."""
    if isinstance(error, MemoryError):
        return "out of memory"
    if isinstance(error, ModelError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
