"""Source files of a corpus: names, folders, glob patterns and standard input become files.

Knows nothing of what the files hold.
"""

import glob
import hashlib
from collections.abc import Sequence
from pathlib import Path

from training.training_errors import CorpusError

STDIN = "-"
_GLOB_CHARACTERS = "*?["


def expand(names: Sequence[str]) -> list[str]:
    """Expand names, folders, glob patterns and `-` (standard input) into files, in order.

    A folder stands for every file in it and below, hidden ones left out, sorted by path.
    Raises CorpusError for a name that stands for nothing.
    """
    files = [file for name in names for file in _expand_one(name)]
    if not files:
        raise CorpusError("no corpus was named")
    for file in files:
        _require_utf8(file)
    return list(dict.fromkeys(files))


def _expand_one(name: str) -> list[str]:
    if not name:  # as a path it would be the current folder
        raise CorpusError("corpus: a name is empty; name a file, a folder, a pattern or -")
    path = Path(name)
    if name == STDIN or path.is_file():
        return [name]
    if path.is_dir():
        found = [str(file) for file in sorted(path.rglob("*")) if _is_visible_file(file, path)]
        if not found:
            raise CorpusError(f"{name}: the folder holds no files")
        return found
    if path.exists():
        raise CorpusError(f"{name}: neither a file nor a folder; send a stream to -")
    if any(character in name for character in _GLOB_CHARACTERS):
        return _matching(name)
    raise CorpusError(f"{name}: no such file or folder")


def _matching(pattern: str) -> list[str]:
    # Path.glob would refuse absolute patterns.
    matches = glob.glob(pattern, recursive=True)  # noqa: PTH207
    found = sorted(file for file in matches if Path(file).is_file())
    if not found:
        raise CorpusError(f"{pattern}: no file matches this pattern")
    return found


def _is_visible_file(file: Path, below: Path) -> bool:
    return file.is_file() and _is_visible(file, below)


def _is_visible(file: Path, below: Path) -> bool:
    return not any(part.startswith(".") for part in file.relative_to(below).parts)


def _require_utf8(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise CorpusError(f"{name!r}: the name is not UTF-8; rename the file") from error


def require_outside(names: Sequence[str], place: Path) -> None:
    """Refuse a corpus folder that holds `place`, where results are written. Raises CorpusError.

    They would be read as text by the next run.
    """
    for folder in (Path(name).resolve() for name in names if name and Path(name).is_dir()):
        target = place.resolve()
        if target.is_relative_to(folder) and _is_visible(target, folder):
            raise CorpusError(
                f"{folder}: this corpus folder holds {place}, where results are written and would "
                "be read as text; put one of them elsewhere"
            )


def file_digest(name: str) -> str | None:
    """Hash a file's bytes as they lie on disk (SHA-256); None for standard input."""
    if name == STDIN:
        return None
    try:
        with Path(name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(name, error) from error


def unreadable(name: str, error: Exception) -> CorpusError:
    """Build the error for a file that cannot be read, with the reason in short."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return CorpusError(f"{name}: cannot be read ({reason})")
