"""Source files of a corpus: names, folders, glob patterns and standard input become files.

Knows nothing of what the files hold.
"""

import glob
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from training.texts.unpacking import STDIN, reason_of
from training.training_errors import CorpusError

_GLOB_CHARACTERS = "*?["


def expand(names: Sequence[str]) -> list[str]:
    """Expand names, folders, glob patterns and `-` (standard input) into files, in order.

    A folder stands for every file in it and below, hidden ones left out, sorted by path. Its
    symbolic links are followed to files that lie in it, too; see `outward_links` for the others.
    No file is there twice, by whatever links. Raises CorpusError for a name that stands for
    nothing.
    """
    files = [file for name in names for file in _expand_one(name)]
    if not files:
        raise CorpusError("no corpus was named")
    for file in files:
        _require_utf8(file)
    unique: dict[str, str] = {}
    for file in files:
        unique.setdefault(os.path.realpath(file), file)
    return list(unique.values())


def outward_links(names: Sequence[str]) -> list[str]:
    """Find the symbolic links in the named folders that lead out of them, and are not followed.

    They may lead to what nobody meant to be learned: the whole disk, or a private folder.
    """
    return [link for name in names if name and Path(name).is_dir() for link in _walk(name)[1]]


def _expand_one(name: str) -> list[str]:
    if not name:  # as a path it would be the current folder
        raise CorpusError("corpus: a name is empty; name a file, a folder, a pattern or -")
    path = Path(name)
    if name == STDIN or path.is_file():
        return [name]
    if path.is_dir():
        files, links = _walk(name)
        if not files:
            others = f" but links that lead out of it ({len(links):,})" if links else ""
            raise CorpusError(f"{name}: the folder holds no files{others}")
        return files
    if path.exists():
        raise CorpusError(f"{name}: neither a file nor a folder; send a stream to -")
    if any(character in name for character in _GLOB_CHARACTERS):
        return _matching(name)
    raise CorpusError(f"{name}: no such file or folder")


def _walk(folder: str) -> tuple[list[str], list[str]]:
    """List the visible files in a folder and below, and the links that lead out of it."""
    root = os.path.realpath(folder)
    files, outward = [], []
    for below in _visible_folders(Path(folder)):
        for path in below.iterdir():
            if path.name.startswith("."):
                continue
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
                outward.append(str(path))
            elif path.is_file():
                files.append(path)
    return [str(file) for file in sorted(files)], sorted(outward)


def _visible_folders(root: Path) -> Iterator[Path]:
    """List a folder and all below; they are entered by no link, so no way leads in a circle."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        yield folder
        own = (path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
        waiting += [path for path in own if not path.name.startswith(".")]


def _matching(pattern: str) -> list[str]:
    found = sorted(file for file in _matches(pattern) if Path(file).is_file())
    if not found:
        raise CorpusError(f"{pattern}: no file matches this pattern")
    return found


def _matches(pattern: str) -> Iterator[str]:
    """Find what a pattern matches; `**` stands for the folder itself and all visible ones below.

    glob's own `**` follows links to folders, and of two that lead back it takes every way to
    go round.
    """
    parts = pattern.split("/")
    if "**" not in parts:
        # Path.glob would refuse absolute patterns.
        yield from glob.glob(pattern)  # noqa: PTH207
        return
    at = parts.index("**")
    roots = glob.glob("/".join([*parts[:at], ""])) if at > 0 else [""]  # noqa: PTH207
    tail = "/".join(parts[at + 1 :]) or "*"
    for root in roots:
        for folder in _visible_folders(Path(root)):
            yield from _matches(str(Path(glob.escape(str(folder))) / tail))


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
    return CorpusError(f"{name}: cannot be read ({reason_of(error)})")
