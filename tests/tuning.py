"""Helpers for tests of searches: a small study, its command line, and its trials as stored."""

import shutil
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial
from training_runs import SMALL

STEPS = 12

# A low learning rate is hopeless in so few steps. The preset's own value lies inside.
SPACE = """
learning_rate = {low = 0.001, high = 0.1, log = true}
state_reset = {choices = [0.05, 0.1]}
"""


def tune(home: Path, *more: str, **changes: object) -> list[str]:
    """The command line of the study in `home`; a field that is None is left out."""
    fields = {
        **SMALL,
        "steps": STEPS,
        "corpus": home / "poems.txt",
        "space": home / "space.toml",
        "out": home / "searches",
        **changes,
    }
    flags = [(f"--{k.replace('_', '-')}", str(v)) for k, v in fields.items() if v is not None]
    return ["tune", *(part for flag in flags for part in flag), *more]


def study_folder(home: Path) -> Path:
    """Folder of the study of `tune`."""
    return home / "searches" / "tiny"


def trials_in(home: Path) -> list[FrozenTrial]:
    """The study's trials, as another program reads them."""
    storage = optuna.storages.RDBStorage(f"sqlite:///{study_folder(home) / 'study.db'}")
    try:
        return optuna.load_study(study_name="tiny", storage=storage).trials
    finally:
        storage.remove_session()
        storage.engine.dispose()


def copied(home: Path, target: Path) -> Path:
    """A copy of a study, with its corpus and space, to go on with."""
    return Path(shutil.copytree(home, target / "copy"))
