"""Folder of a run: free names, the lock against a second process, the config it was begun with.

runs/NAME/config.json      every field of the run
runs/NAME/data/            the prepared corpus
runs/NAME/last/            where --resume goes on; also a checkpoint
runs/NAME/lock             held by the process that works on the run
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from model.atomic_write import TEMPORARY_PREFIX, write_file
from model.errors import ParameterError
from model.regular_file import open_regular, read_regular
from training.train_config import TrainConfig
from training.training_errors import RunError

CONFIG, DATA, LAST, LOCK = "config.json", "data", "last", "lock"
MAX_CONFIG = 1 << 20  # bytes
MAX_STEM = 90  # a name may have 100 characters; a number may follow


def has_begun(folder: Path) -> bool:
    """Check whether a run has begun in `folder`."""
    return (folder / CONFIG).exists()


def free_name(config: TrainConfig) -> str:
    """Choose a run's name: the corpus file's, with a number behind it where that is taken."""
    stem = Path(config.corpus[0]).name.split(".")[0]
    stem = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in stem)
    stem = stem[:MAX_STEM].strip("-_") or "run"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 10_000))]
    places = (config.runs_dir, config.checkpoints_dir)
    free = (name for name in names if not any((place / name).exists() for place in places))
    if (name := next(free, None)) is None:
        raise RunError(f"name: {stem} and all numbers behind it are taken; choose a --name")
    return name


def require_new(folder: Path, served: Path) -> None:
    """Check that a run may begin in `folder`, its checkpoint at `served`. Raises RunError."""
    if has_begun(folder):
        raise RunError(
            f"{folder} exists; go on with it ({resume_flags(folder)}) or choose another --name"
        )
    if folder.exists() and not _is_unbegun(folder):
        raise RunError(f"{folder} exists and is not a run; choose another --name or --runs-dir")
    if served.exists():
        raise RunError(f"{served} exists and would be replaced; choose another --name")


def _is_unbegun(folder: Path) -> bool:
    """Check whether `folder` is empty, or left of a run that was killed before it began."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    others = {name for name in names - {LOCK, DATA} if not name.startswith(TEMPORARY_PREFIX)}
    return not names or (LOCK in names and not others)


def resume_flags(folder: Path) -> str:
    """Format the flags of `train` that resume the run in `folder`."""
    default = TrainConfig.model_fields["runs_dir"].default
    elsewhere = "" if folder.parent == default else f" --runs-dir {folder.parent}"
    return f"--resume --name {folder.name}{elsewhere}"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a run's folder, so that no second process works on the same run. Raises RunError."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / LOCK, "w", opener=open_regular) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(f"{folder} is in use: another process is training it") from error
        yield


def write_config(folder: Path, config: TrainConfig) -> None:
    """Write a run's config.json whole or not at all: from then on the run has begun."""
    write_file(folder / CONFIG, config.model_dump_json(indent=2) + "\n")


def read_config(folder: Path) -> TrainConfig:
    """Read the configuration that a run was begun with. Raises RunError."""
    path = folder / CONFIG
    if not path.exists():
        raise RunError(f"{folder}: there is no run of this name to resume")
    try:
        return TrainConfig.model_validate_json(read_regular(path, MAX_CONFIG).content)
    except ValidationError as error:
        raise RunError(f"{path}: {ParameterError.from_validation(error)}") from error
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror})") from error
