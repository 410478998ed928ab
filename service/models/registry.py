"""Registry of the models on offer: loads new and replaced checkpoint folders, drops removed ones,
and knows the default model.

A watcher thread looks every few seconds. A replaced checkpoint is swapped in whole: requests
already running keep the one they began with, which is dropped with the last of them. A broken
folder is refused with one log line, and what was served under its name goes on.
Knows nothing of Flask, and of tensors only that there is a loader.
"""

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from model.checkpoint import LoadedCheckpoint
from model.config import ModelConfig
from model.errors import ModelError
from model.tokenizer import Tokenizer
from service.engine.request import Runner
from service.models.discovery import Candidate, FolderIdentity, candidates
from service.timeouts import THREAD_STOP_TIMEOUT_S

MAX_CARD = 65_536  # bytes


class LoadedRunner(Runner, Protocol):
    """Runner of a checkpoint, with its tokenizer and the name of its decode backend."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Tokenizer of the checkpoint."""
        ...

    @property
    def backend_name(self) -> str:
        """Name of the decode backend, which settings, logs and metrics call `path`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoadedModel:
    """Checkpoint that was loaded: its runner, shape, card and fingerprint."""

    runner: LoadedRunner
    architecture: ModelConfig
    card: str
    fingerprint: str  # the same for the same files, wherever they lie
    feeding_speed: float  # tokens of a prompt in a second of computing, on this machine

    @staticmethod
    def of(
        runner: LoadedRunner, checkpoint: LoadedCheckpoint, feeding_speed: float = math.inf
    ) -> "LoadedModel":
        """Keep what is told of a checkpoint beside its runner; a card that is too long is cut."""
        return LoadedModel(
            runner=runner,
            architecture=checkpoint.description.architecture,
            card=checkpoint.card.encode()[:MAX_CARD].decode("utf-8", "replace"),
            fingerprint=f"fp_{checkpoint.digest}",
            feeding_speed=feeding_speed,
        )


class LoadObserver(Protocol):
    """Interface of the registry to the metrics; called on its watcher's thread."""

    def checkpoint_loaded(self, model: str, backend: str) -> None:
        """Count a checkpoint that is about to be offered; `backend` is what decodes it."""

    def checkpoint_refused(self) -> None:
        """Count a checkpoint that could not be read."""

    def checkpoint_removed(self, model: str) -> None:
        """Remove the series of a model that is no longer on offer."""


class ModelNotFoundError(Exception):
    """Raised where no model of the name that was asked for is on offer."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NoModelError(Exception):
    """Raised where no model at all is on offer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServedModel(LoadedModel):
    """Loaded model on offer under a name, and the folder that it came from."""

    name: str
    source: Candidate
    is_shipped: bool


class Registry:
    """Registry of models by name, kept up to date by a watcher thread of its own.

    `checkpoints` and `shipped` are folders of checkpoint folders; the first is preferred where both
    have one of the same name. `load` reads one folder. `default_model` serves requests that name no
    model; without it, the newest checkpoint that does not ship. The watcher looks every `poll_s`
    seconds.
    """

    def __init__(
        self,
        *,
        checkpoints: Path,
        shipped: Path,
        load: Callable[[Path], LoadedModel],
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
        self._served: Mapping[str, ServedModel] = {}
        self._refused: dict[Path, FolderIdentity] = {}
        self._has_scanned = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Start the watcher."""
        self._thread.start()

    def stop(self, timeout_s: float = THREAD_STOP_TIMEOUT_S) -> None:
        """End the watcher, waiting at most `timeout_s` seconds for it."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def wait_for_first_scan(self, timeout_s: float) -> bool:
        """Wait until every checkpoint there is has been tried; False after `timeout_s` seconds."""
        return self._has_scanned.wait(timeout_s)

    @property
    def served(self) -> Sequence[ServedModel]:
        """Models on offer, sorted by name."""
        return [served for _, served in sorted(self._served.items())]

    @property
    def default_name(self) -> str | None:
        """Name of the model of requests that name none; None when there is none."""
        return self._default_name_of(self._served)

    def find(self, name: str | None) -> ServedModel:
        """Find the model of this name, or the default one.

        Raises ModelNotFoundError or NoModelError.
        """
        served = self._served  # once: the watcher may replace it meanwhile
        wanted = name if name is not None else self._default_name_of(served)
        if wanted is None or (name is None and not served):
            raise NoModelError
        try:
            return served[wanted]
        except KeyError:
            raise ModelNotFoundError(wanted) from None

    def _default_name_of(self, served: Mapping[str, ServedModel]) -> str | None:
        if self._default_model is not None:
            return self._default_model
        newest = max(
            served.values(),
            key=lambda model: (not model.is_shipped, model.source.written_at),
            default=None,
        )
        return None if newest is None else newest.name

    def scan(self) -> None:
        """Look at the folders once: load what is new or replaced, drop what is gone."""
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
        """Candidates by name, the preferred one first."""
        found: dict[str, list[Candidate]] = {}
        for parent in (self._checkpoints, self._shipped):
            for candidate in candidates(parent):
                found.setdefault(candidate.name, []).append(candidate)
        return found

    def _update(self, served: dict[str, ServedModel], name: str, sources: list[Candidate]) -> None:
        for source in sources:
            current = served.get(name)
            if current is not None and current.source == source:
                return
            if self._refused.get(source.folder) != source.identity:
                loaded = self._try_to_load(source)
                if loaded is not None:
                    served[name] = loaded
                    # Offered at once: the next folder may take long to load.
                    self._served = dict(served)
                    return
            if current is not None and current.source.folder == source.folder:
                return  # its replacement is broken; the old one goes on

    def _try_to_load(self, source: Candidate) -> ServedModel | None:
        try:
            if not source.has_servable_name:
                raise ModelError("the folder's name cannot be a model's: letters, digits and ._+-")
            loaded = self._load(source.folder)
        # RuntimeError and MemoryError: torch cannot hold what the folder describes.
        except (ModelError, OSError, ValueError, RuntimeError, MemoryError) as error:
            self._refused[source.folder] = source.identity
            self._observer.checkpoint_refused()
            self._log.error("checkpoint_refused", folder=str(source.folder), reason=str(error))
            return None
        self._refused.pop(source.folder, None)
        self._observer.checkpoint_loaded(source.name, loaded.runner.backend_name)
        self._log.info(
            "checkpoint_loaded",
            model=source.name,
            folder=str(source.folder),
            path=loaded.runner.backend_name,
        )
        return ServedModel(
            name=source.name,
            source=source,
            is_shipped=source.folder.parent == self._shipped,
            runner=loaded.runner,
            architecture=loaded.architecture,
            card=loaded.card,
            fingerprint=loaded.fingerprint,
            feeding_speed=loaded.feeding_speed,
        )

    def _watch(self) -> None:
        while not self._stopped.is_set():
            self.scan()
            self._has_scanned.set()
            self._stopped.wait(self._poll_s)
