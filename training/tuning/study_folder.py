"""Folder of an Optuna study on this machine, and the corpus that all its trials read.

OUT/NAME/study.db                    every trial's fields and losses, unless --storage is elsewhere
OUT/NAME/data/                       the prepared corpus, unless --corpus is one already
OUT/NAME/runs/trial-0007/            each trial's run, without the state that --resume needs
OUT/NAME/checkpoints/trial-0007/     the best trial's checkpoint; no service looks here
OUT/NAME/report/, best.toml          what was found

Knows nothing of what the trials try.
"""

import fcntl
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from model.regular_file import open_regular
from training.data.corpus import Corpus, is_prepared, load_corpus, prepare
from training.data.sources import expand, file_digest
from training.run_corpus import load_prepared
from training.run_folder import DATA, LAST, LOCK
from training.train_config import TrainConfig
from training.training_errors import RunError

PREFIX = "trial-"


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """Paths in the folder of a study, and what is kept there."""

    path: Path

    @property
    def database(self) -> Path:
        """Path of the sqlite storage that is used where no other is named."""
        return self.path / "study.db"

    @property
    def runs(self) -> Path:
        """Folder of the trials' runs."""
        return self.path / "runs"

    @property
    def checkpoints(self) -> Path:
        """Folder of the trials' checkpoints."""
        return self.path / "checkpoints"

    @property
    def report(self) -> Path:
        """Folder of the study's report."""
        return self.path / "report"

    @property
    def best(self) -> Path:
        """Path of the best fields, as a preset."""
        return self.path / "best.toml"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the study's folder, once no other process is at work on what all of them share."""
        self.path.mkdir(parents=True, exist_ok=True)
        with open(self.path / LOCK, "w", opener=open_regular) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def prepared(self, config: TrainConfig) -> tuple[Path, Corpus]:
        """Prepare the corpus that `config` names, or load it where a process has before.

        Whoever calls holds the lock. Raises CorpusError, ParameterError, and RunError when the
        folder holds another corpus.
        """
        if len(config.corpus) == 1 and is_prepared(config.corpus[0]):
            given = Path(config.corpus[0])
            return given, load_prepared(config, given)
        data = self.path / DATA
        if not is_prepared(str(data)):
            options, valid = config.corpus_options, config.valid_corpus
            return data, prepare(config.corpus, data, options, valid_names=valid)
        corpus = load_corpus(data)
        _require_same_text(corpus, data, config)
        return data, corpus

    def numbers(self) -> set[int]:
        """List the numbers of the trials that have left something in the folder."""
        found = [*self.runs.glob(f"{PREFIX}*"), *self.checkpoints.glob(f"{PREFIX}*")]
        digits = (path.name.removeprefix(PREFIX) for path in found)
        return {int(number) for number in digits if number.isdecimal()}

    def tidy(self, finished: Collection[int], best: int | None) -> None:
        """Remove the finished trials' states, and all checkpoints but the best one's."""
        for number in self.numbers() & set(finished):
            shutil.rmtree(self.runs / trial_name(number) / LAST, ignore_errors=True)
            if number != best:
                shutil.rmtree(self.checkpoints / trial_name(number), ignore_errors=True)


def trial_name(number: int) -> str:
    """Format the name of a trial's run."""
    return f"{PREFIX}{number:04d}"


def _require_same_text(corpus: Corpus, data: Path, config: TrainConfig) -> None:
    names = [*expand(config.corpus), *(expand(config.valid_corpus) if config.valid_corpus else ())]
    digests = [file_digest(name) for name in names]
    manifest = corpus.manifest
    is_same_text = digests == [source.sha256 for source in manifest.sources]
    if not is_same_text or config.corpus_options != manifest.options:
        raise RunError(
            f"{data} was prepared from another text, or with other options; give what the study "
            "was begun with, or choose another --study"
        )
