"""The models on offer: finds checkpoint folders, loads new and replaced ones, forgets removed ones.

A watcher thread looks every few seconds. A replaced checkpoint is swapped in whole: requests
already running keep the one they began with, which is dropped with the last of them. A broken
folder is refused with one log line, and what was served under its name goes on.
Knows nothing of Flask, and of tensors only that there is a loader.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from model.errors import ModelError
from model.tokenizer import Tokenizer
from service.engine.request import Runner
from service.models.about import About
from service.models.discovery import Candidate, FileFacts, candidates, fingerprint


class LoadedRunner(Runner, Protocol):
    """A runner, and what those who ask must know of its checkpoint."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Text to ids and back."""
        ...

    @property
    def path_name(self) -> str:
        """How its steps are computed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """A checkpoint that was read."""

    runner: LoadedRunner
    about: About


class LoadObserver(Protocol):
    """Who wants to know of loads."""

    def checkpoint_loaded(self, model: str, path: str) -> None:
        """A checkpoint is about to be offered; `path` is how its steps are computed."""

    def checkpoint_refused(self) -> None:
        """A checkpoint could not be read."""

    def checkpoint_removed(self, model: str) -> None:
        """A model is no longer on offer."""


class ModelNotFoundError(Exception):
    """No model of this name is on offer."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NoModelError(Exception):
    """No model at all is on offer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Served:
    """A model on offer."""

    name: str
    runner: LoadedRunner
    source: Candidate
    is_shipped: bool
    fingerprint: str  # of what is in its files
    about: About


class Registry:
    """`checkpoints` comes before `shipped` where both have a folder of one name."""

    def __init__(
        self,
        *,
        checkpoints: Path,
        shipped: Path,
        load: Callable[[Path], Loaded],
        observer: LoadObserver,
        default_model: str | None = None,
        poll_s: float = 2.0,
    ) -> None:
        self._checkpoints = checkpoints
        self._shipped = shipped
        self._load = load
        self._observer = observer
        self._default_model = default_model
        self._poll_s = poll_s
        self._log = structlog.get_logger()
        # Replaced as a whole by the watcher, so readers need no lock.
        self._served: Mapping[str, Served] = {}
        self._refused: dict[Path, tuple[FileFacts, ...]] = {}
        self._has_scanned = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """End the watcher."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def wait_for_first_scan(self, timeout_s: float) -> bool:
        """Whether every checkpoint that is there now has been tried."""
        return self._has_scanned.wait(timeout_s)

    @property
    def served(self) -> Sequence[Served]:
        """The models on offer, by name."""
        return [served for _, served in sorted(self._served.items())]

    @property
    def default_name(self) -> str | None:
        """The model of requests that name none; None when there is none."""
        if self._default_model is not None:
            return self._default_model
        if not self._served:
            return None
        newest = max(
            self._served.values(), key=lambda model: (not model.is_shipped, model.source.written_at)
        )
        return newest.name

    def find(self, name: str | None) -> Served:
        """The model of this name, or the default one. Raises ModelNotFoundError or NoModelError."""
        served = self._served
        wanted = name if name is not None else self.default_name
        if wanted is None or (name is None and not served):
            raise NoModelError
        try:
            return served[wanted]
        except KeyError:
            raise ModelNotFoundError(wanted) from None

    def scan(self) -> None:
        """Look once: load what is new or replaced, forget what is gone."""
        found = self._found()
        served = dict(self._served)
        for name, sources in found.items():
            self._update(served, name, sources)
        gone = served.keys() - found.keys()
        self._served = {name: model for name, model in served.items() if name not in gone}
        for name in gone:
            self._observer.checkpoint_removed(name)
            self._log.info("checkpoint_removed", model=name)
        self._refused = {
            source.folder: self._refused[source.folder]
            for sources in found.values()
            for source in sources
            if source.folder in self._refused
        }

    def _found(self) -> dict[str, list[Candidate]]:
        """The folders of each name, the preferred one first."""
        found: dict[str, list[Candidate]] = {}
        for parent in (self._checkpoints, self._shipped):
            for candidate in candidates(parent):
                found.setdefault(candidate.name, []).append(candidate)
        return found

    def _update(self, served: dict[str, Served], name: str, sources: list[Candidate]) -> None:
        for source in sources:
            current = served.get(name)
            if current is not None and current.source == source:
                return
            if self._refused.get(source.folder) != source.facts:
                loaded = self._try_to_load(source)
                if loaded is not None:
                    served[name] = loaded
                    # Offered at once: the next folder may take long to load.
                    self._served = dict(served)
                    return
            if current is not None and current.source.folder == source.folder:
                return  # its replacement is broken; the old one goes on

    def _try_to_load(self, source: Candidate) -> Served | None:
        try:
            if not source.has_servable_name:
                raise ModelError("the folder's name cannot be a model's: letters, digits and ._+-")
            loaded = self._load(source.folder)
            print_of_files = fingerprint(source.folder)
        # RuntimeError and MemoryError: torch cannot hold what the folder describes.
        except (ModelError, OSError, ValueError, RuntimeError, MemoryError) as error:
            self._refused[source.folder] = source.facts
            self._observer.checkpoint_refused()
            self._log.error("checkpoint_refused", folder=str(source.folder), reason=str(error))
            return None
        self._refused.pop(source.folder, None)
        self._observer.checkpoint_loaded(source.name, loaded.runner.path_name)
        self._log.info(
            "checkpoint_loaded",
            model=source.name,
            folder=str(source.folder),
            path=loaded.runner.path_name,
        )
        is_shipped = source.folder.parent == self._shipped
        return Served(
            name=source.name,
            runner=loaded.runner,
            source=source,
            is_shipped=is_shipped,
            fingerprint=print_of_files,
            about=loaded.about,
        )

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self.scan()
            self._has_scanned.set()
            self._stopped.wait(self._poll_s)
