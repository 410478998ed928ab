"""Which checkpoint folders there are, and whether one has changed since it was last read.

Looks at names and file facts only; never opens a file.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from model.checkpoint import FILES

# A model's name goes into URLs and headers as it is.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}")

# Of each file: inode, modification time in nanoseconds, size; None where it is missing.
FileFacts = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A folder that may hold a checkpoint."""

    folder: Path
    facts: tuple[FileFacts, ...]

    @property
    def name(self) -> str:
        """The name under which it would be served."""
        return self.folder.name

    @property
    def has_servable_name(self) -> bool:
        """Whether the name can stand in a URL and a header."""
        return NAME.fullmatch(self.name) is not None

    @property
    def written_at(self) -> float:
        """When its newest file was written, in seconds since 1970."""
        return max((facts[1] for facts in self.facts if facts is not None), default=0) / 1e9


def candidates(parent: Path) -> list[Candidate]:
    """The folders in `parent`, by name. Names that begin with "." are being written.

    A parent that is not there has none; neither has one that may not be read.
    """
    try:
        folders = sorted(path for path in parent.iterdir() if path.is_dir())
    except OSError:
        return []
    return [
        Candidate(folder=folder, facts=tuple(_facts(folder / name) for name in FILES))
        for folder in folders
        if not folder.name.startswith((".", "__"))
    ]


def _facts(path: Path) -> FileFacts:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size


def fingerprint(folder: Path) -> str:
    """The same for the same checkpoint, wherever it lies. Raises OSError."""
    digest = hashlib.blake2b(digest_size=6)
    for name in FILES:
        digest.update((folder / name).read_bytes())
    return f"fp_{digest.hexdigest()}"
