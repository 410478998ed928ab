"""Listing of a store: which checkpoints lie there, and the version of each of their files.

A version is what the store itself changes with the content: an ETag, a hash, else a time. So a look
costs one listing, and what is unchanged is never read again.
"""

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fsspec import AbstractFileSystem

from model.checkpoint import FILES
from model.extra_files import MAX_EXTRA
from model.stores.sums import SUMS

NAMES = (*FILES, *MAX_EXTRA, SUMS)  # of a folder's files those that are fetched
CONFIG = "config.json"
# The first that a store tells of a file is its version.
VERSIONS = (("ETag",), ("etag",), ("md5Hash",), ("blob_id",), ("ino", "mtime"), ("created",))
TIMES = ("LastModified", "mtime", "updated", "created")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """File in a store: its path there, its size in bytes, and what changes with its content."""

    path: str
    num_bytes: int
    version: str
    sha256: str | None  # where the store tells
    written_at: float | None  # in seconds since 1970, where the store tells


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheckpoint:
    """Checkpoint in a store: its name, and its files by name."""

    name: str
    files: Mapping[str, StoredFile]

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the files by name, which change with the checkpoint."""
        return {name: file.version for name, file in sorted(self.files.items())}

    @property
    def missing(self) -> list[str]:
        """Names of the files without which nothing is a checkpoint."""
        return [name for name in FILES if name not in self.files]


def stored_checkpoints(filesystem: AbstractFileSystem, root: str) -> list[StoredCheckpoint]:
    """List the checkpoints in the folder `root`, or the one that it is; whole or not.

    Raises what the store's library raises, and FileNotFoundError where there is nothing.
    """
    filesystem.invalidate_cache()
    found: dict[str, dict[str, StoredFile]] = {}
    for path, facts in filesystem.find(root, detail=True).items():
        folder, name = posixpath.split(posixpath.relpath(path, root))
        if name in NAMES and "/" not in folder and not folder.startswith("."):
            found.setdefault(folder, {})[name] = _stored_file(path, facts)
    if not found:
        raise FileNotFoundError("there is no checkpoint")
    if CONFIG in found.get("", {}):
        return [StoredCheckpoint(name=name_of(root), files=found[""])]
    folders = sorted(name for name in found if name)
    return [StoredCheckpoint(name=name, files=found[name]) for name in folders]


def name_of(root: str) -> str:
    """Name of the checkpoint that the folder `root` is; a revision of the Hub is no part of it."""
    return posixpath.basename(root).partition("@")[0]


def names_of(checkpoints: Iterable[StoredCheckpoint]) -> str:
    """Names of checkpoints for a message, a few of them."""
    names = [checkpoint.name for checkpoint in checkpoints]
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")


def _stored_file(path: str, facts: Mapping[str, Any]) -> StoredFile:
    known = (keys for keys in VERSIONS if all(facts.get(key) is not None for key in keys))
    version = [str(facts[key]).strip('"') for key in next(known, ())]
    return StoredFile(
        path=path,
        num_bytes=int(facts.get("size") or 0),
        version=" ".join([*version, str(facts.get("size"))]),
        sha256=getattr(facts.get("lfs"), "sha256", None),  # of the Hub's large files
        written_at=_written_at(facts),
    )


def _written_at(facts: Mapping[str, Any]) -> float | None:
    told = (facts[key] for key in TIMES if isinstance(facts.get(key), datetime | float))
    time = next(told, None)
    return time.timestamp() if isinstance(time, datetime) else time
