"""Discovery of checkpoint folders: their names, and file identities by which a change is noticed.

Never opens a file. Two candidates of one folder are equal while none of its files was written
again or replaced, which is how `service.models.registry` sees that a folder has changed.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from model.checkpoint import FILES
from model.extra_files import MAX_EXTRA
from service.file_identity import FileIdentity, file_identity

# A model's name goes into URLs and headers as it is.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,99}")

_NAMES = (*FILES, *MAX_EXTRA)  # of what a checkpoint's folder may hold

FolderIdentity = tuple[FileIdentity | None, ...]  # of each file; None where it is missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Folder that may hold a checkpoint, as it was when it was looked at."""

    folder: Path
    identity: FolderIdentity

    @property
    def name(self) -> str:
        """Name of the model under which the checkpoint would be served."""
        return self.folder.name

    @property
    def has_servable_name(self) -> bool:
        """Servable name: True where the name can stand in a URL and a header."""
        return NAME.fullmatch(self.name) is not None


def candidates(parent: Path) -> list[Candidate]:
    """Find the folders in `parent` that may hold a checkpoint, by name.

    Names that begin with "." are being written. A parent that is not there, or may not be read,
    has none.
    """
    try:
        # Not Path.is_dir: it raises for a link that cannot be followed, and all would be gone.
        folders = sorted(path for path in parent.iterdir() if os.path.isdir(path))  # noqa: PTH112
    except OSError:
        return []
    return [candidate_at(each) for each in folders if not each.name.startswith((".", "__"))]


def candidate_at(folder: Path) -> Candidate:
    """Candidate of a folder as it is now."""
    return Candidate(folder=folder, identity=tuple(file_identity(folder / name) for name in _NAMES))
