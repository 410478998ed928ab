"""Mirror of a store: its checkpoints in a folder of the cache, each fetched whole where it changed.

A checkpoint is fetched beside its place, verified, and put there in one step; files that did not
change are linked instead of fetched. Whatever fails leaves what was there. Several processes may
have one mirror: one of them looks at a time.
"""

import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from model import pretrained
from model.atomic_write import TEMPORARY_PREFIX, replacing_folder, write_file
from model.checkpoint import WEIGHTS
from model.stores.address import StoreError, is_address, open_store, reason_of
from model.stores.listing import StoredCheckpoint, StoredFile, names_of, stored_checkpoints
from model.stores.sums import SUMS, SumsError, require_sums, sha256
from model.user_cache import CACHE_VARIABLE, user_cache

PREFIX = "store-"
INDEX = ".index.json"  # what lies here, as the store told it
LOCK = ".lock"
UNUSED_S = 30 * 86_400.0  # a mirror that nobody has looked through for so long is removed

Index = dict[str, dict[str, str]]  # by checkpoint, by file: its version


class Mirror:
    """Mirror of the checkpoints at an address, in a folder of its own. Raises StoreError."""

    def __init__(self, address: str, cache: Path | None = None) -> None:
        self.address = address
        self._filesystem, self._root = open_store(address)
        parent = cache if cache is not None else user_cache()
        digest = hashlib.sha256(address.encode()).hexdigest()[:16]
        self.folder = parent / f"{PREFIX}{digest}"
        self._seen: Index | None = None  # at the last look
        # By name, what its own sums refuse: its versions then, and the reason.
        self._refused: dict[str, tuple[dict[str, str], str]] = {}
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            os.utime(self.folder)
        except OSError as error:
            raise StoreError(f"{self.folder}: {error.strerror}; set {CACHE_VARIABLE}") from error
        _remove_unused(parent)

    def look(self) -> dict[str, str]:
        """Look at the store: fetch what changed, remove what is gone there.

        Gives the reasons why single checkpoints could not be taken, by name. Raises StoreError
        where the store cannot be read, or holds nothing.
        """
        with self._alone():
            return self._take(self._listed())

    def only_checkpoint(self) -> Path:
        """Folder of the one checkpoint at the address, fetched. Raises StoreError."""
        with self._alone():
            stored = self._listed()
            if len(stored) != 1:
                raise StoreError(f"{self.address} holds {names_of(stored)}: add the name of one")
            if troubles := self._take(stored):
                raise StoreError(f"{self.address}: {next(iter(troubles.values()))}")
        return self.folder / stored[0].name

    def _listed(self) -> list[StoredCheckpoint]:
        """List what the store holds. Raises StoreError where it holds nothing, too."""
        try:
            return stored_checkpoints(self._filesystem, self._root)
        except Exception as error:  # whatever a store's library raises
            raise StoreError(f"{self.address}: {reason_of(error)}") from error

    def _take(self, stored: list[StoredCheckpoint]) -> dict[str, str]:
        """Make the folder hold what was listed; see `look`."""
        troubles = self._fetch_changed(stored)
        self._remove_all_but({each.name for each in stored})
        os.utime(self.folder)
        self._seen = {each.name: each.versions for each in stored}
        return troubles

    def _fetch_changed(self, stored: list[StoredCheckpoint]) -> dict[str, str]:
        troubles, index = {}, self._read_index()
        for checkpoint in stored:
            name, versions = checkpoint.name, checkpoint.versions
            if index.get(name) == versions and (self.folder / name).is_dir():
                continue
            if not self._is_settled(checkpoint):
                continue
            refused, why = self._refused.get(name, ({}, ""))
            if refused == versions:
                troubles[name] = why
                continue
            try:
                self._fetch(checkpoint, index.get(name, {}))
            except SumsError as error:
                troubles[name] = str(error)
                self._refused[name] = versions, str(error)
            except StoreError as error:
                troubles[name] = str(error)
            except Exception as error:  # noqa: BLE001 - the others must be fetched
                troubles[name] = reason_of(error)
            else:
                index[name] = versions
                self._write_index(index)
        return troubles

    def _is_settled(self, checkpoint: StoredCheckpoint) -> bool:
        """Settled checkpoint: True where nobody seems to be writing it.

        It can be verified, or was so at the last look: a store has no folders that are replaced
        whole, a file a time becomes another one.
        """
        if SUMS in checkpoint.files or self._seen is None:
            return True
        return self._seen.get(checkpoint.name) == checkpoint.versions

    def _fetch(self, checkpoint: StoredCheckpoint, had: Mapping[str, str]) -> None:
        """Fetch one checkpoint and put it in its place. Raises StoreError, or as the store does."""
        if checkpoint.missing:
            raise StoreError(f"there is no {' and no '.join(checkpoint.missing)} yet")
        place = self.folder / checkpoint.name
        with replacing_folder(place) as partial:
            for name, file in checkpoint.files.items():
                if had.get(name) == file.version and (place / name).is_file():
                    _link(place / name, partial / name)
                else:
                    self._fetch_file(file, partial / name)
            if SUMS in checkpoint.files:
                require_sums(partial)
            again = stored_checkpoints(self._filesystem, self._root)
            if checkpoint.versions not in (each.versions for each in again):
                raise StoreError("it changed while it was fetched")

    def _fetch_file(self, file: StoredFile, target: Path) -> None:
        self._filesystem.get_file(file.path, str(target))
        if (size := target.stat().st_size) != file.num_bytes:
            raise StoreError(f"{target.name}: {size} bytes came, {file.num_bytes} were listed")
        if file.sha256 is not None and sha256(target) != file.sha256:
            raise StoreError(f"{target.name}: its SHA-256 is not the one that was listed")
        if file.written_at is not None:
            os.utime(target, (file.written_at, file.written_at))

    def _remove_all_but(self, names: set[str]) -> None:
        index = self._read_index()
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder.name not in names:
                aside = folder.with_name(f"{TEMPORARY_PREFIX}{folder.name}")
                with suppress(OSError):
                    folder.rename(aside)
                shutil.rmtree(aside, ignore_errors=True)
        if not index.keys() <= names:
            self._write_index({name: index[name] for name in index if name in names})

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Context in which no other process looks; leftovers of killed ones are gone."""
        with (self.folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for leftover in self.folder.glob(f"{TEMPORARY_PREFIX}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield

    def _read_index(self) -> Index:
        """Index of what lies here; empty where there is none, or a damaged one."""
        try:
            content = json.loads((self.folder / INDEX).read_text(encoding="utf-8"))
            return dict(content["checkpoints"]) if content["address"] == self.address else {}
        except (OSError, ValueError, LookupError, TypeError):
            return {}

    def _write_index(self, index: Index) -> None:
        content = {"address": self.address, "checkpoints": index}
        write_file(self.folder / INDEX, json.dumps(content, indent=1, sort_keys=True) + "\n")


def local_folder(checkpoint: str) -> Path:
    """Folder of a checkpoint that is named by a path, by an address, or as one that ships.

    A folder in which no checkpoint lies is none: a checkout has one that is called `verse`. Raises
    StoreError.
    """
    if is_address(checkpoint):
        return Mirror(checkpoint).only_checkpoint()
    path = Path(checkpoint)
    ships = checkpoint in pretrained.NAMES and not (path / WEIGHTS).is_file()
    return pretrained.FOLDER / checkpoint if ships else path


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file, target)
    except OSError:  # a file system without links
        shutil.copy2(file, target)


def _remove_unused(cache: Path) -> None:
    """Remove the mirrors through which nobody has looked for UNUSED_S seconds."""
    for folder in cache.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > UNUSED_S:
                shutil.rmtree(folder, ignore_errors=True)
