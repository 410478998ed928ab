"""Optuna study of a search: the record of all trials in a storage, shared by several processes,
with its sampler and its pruner.

Sees to it that every process means the same study. Knows nothing of how a trial is run.
"""

import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.exceptions import DuplicatedStudyError, ExperimentalWarning, StorageInternalError
from optuna.pruners import MedianPruner
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import IntegrityError, ProgrammingError

from training.data.corpus import Corpus
from training.train_config import ORIGIN, TrainConfig
from training.training_errors import RunError
from training.tuning.search_space import Space
from training.tuning.trial_sampler import NumberedSampler

# User attributes of a study: what makes it this one, and how the one who began it asked for it.
FACTS, ASKED = "strophe", "asked"
SQLITE = "sqlite:///"
WHY = "why"  # user attribute of a trial that was left out

HEARTBEAT_S, GRACE_S = 30, 120  # without a sign of life for so long, a trial is begun again ...
MAX_RETRIES = 2  # ... this often: it may be the trial that kills its process
OPENINGS, OPENED_AGAIN_S = 4, 1.0  # where several make the tables of one database at once
DESCRIBED_WITHIN_S = 30.0  # of its creation, by who created it
BUSY_S = 60  # that a process waits for another to let go of the sqlite file

# The median rule (Golovin et al. 2017) needs a few whole trials to compare with, and the first
# validations of a run say more of its warm-up than of its end.
WHOLE_TRIALS = 4
UNJUDGED_SHARE = 0.2

# What differs from machine to machine, and from trial to trial.
_TEXTS = {"corpus", "valid_corpus"}
_LEFT_OUT = _TEXTS | {
    *("name", "runs_dir", "checkpoints_dir", *ORIGIN),
    *("device", "threads", "save_seconds"),
}


@contextmanager
def connected(url: str, tell: Callable[[str], None]) -> Iterator[RDBStorage]:
    """Connect to the study storage at a database URL. Raises RunError when it cannot be used.

    `tell` is told of each trial that was lost with its process, once by all that share the study.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # The URLs of other databases hold passwords.
    place = f"storage: {url.removeprefix(SQLITE)}" if _is_file(url) else "storage"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)  # heartbeats are
            storage = _opened(url, _begin_again(tell))
    except ImportError as error:
        driver = getattr(error.__cause__, "name", None) or "its driver"
        raise RunError(
            f"{place}: {driver} is not installed; PostgreSQL is reached by "
            "postgresql+pg8000://USER:PASSWORD@HOST/DATABASE and pip install 'strophe[postgresql]'"
        ) from error
    except Exception as error:  # each database driver has errors of its own
        raise RunError(f"{place}: {_first_line(error)}") from error
    try:
        yield storage
    except (StorageInternalError, AssertionError, UnboundLocalError) as error:
        # Where not even a trial's end can be stored or read, Optuna trips over its own error.
        failure = error if isinstance(error, StorageInternalError) else error.__context__
        if not isinstance(failure, StorageInternalError):
            raise
        reason = _first_line(failure.__cause__ or failure)
        advice = "when that is mended, go on with the same command"
        raise RunError(f"{place}: {reason}; {advice}") from error
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _opened(url: str, lost: Callable[[Study, FrozenTrial], None]) -> RDBStorage:
    """Open a storage, whose tables another process may be making at the same time."""
    connect = partial(
        RDBStorage,
        url,
        engine_kwargs={"connect_args": {"timeout": BUSY_S}} if _is_file(url) else None,
        heartbeat_interval=HEARTBEAT_S,
        grace_period=GRACE_S,
        heartbeat_stale_trial_callback=lost,
    )
    for _ in range(OPENINGS - 1):
        with suppress(IntegrityError, ProgrammingError):
            return connect()
        time.sleep(OPENED_AGAIN_S)
    return connect()


def _is_file(url: str) -> bool:
    return url.startswith("sqlite")


def _begin_again(tell: Callable[[str], None]) -> Callable[[Study, FrozenTrial], None]:
    """Build the callback that has a lost trial begun again, unless it was lost too often."""
    retry = RetryHeartbeatStaleTrialCallback(MAX_RETRIES)

    def lost(study: Study, trial: FrozenTrial) -> None:
        tries = len(trial.system_attrs.get("retry_history", ()))
        what = "it will be begun again" if tries < MAX_RETRIES else "it is given up"
        tell(f"trial {trial.number}: no sign of life of its process for {GRACE_S} s; {what}")
        retry(study, trial)

    return lost


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]


def database_url(file: Path) -> str:
    """Format the URL of a sqlite file."""
    return f"{SQLITE}{file}"


def open_study(
    storage: RDBStorage,
    name: str,
    facts: Mapping[str, object],
    config: TrainConfig,
    given: Sequence[str],
    *,
    first: Mapping[str, object] | None = None,
) -> Study:
    """Open the study of this name, or create it. Raises RunError if it is another one.

    `given` names the fields of `config` that the user gave, beside the preset; `first` are the
    values of its first trial, which it has once, whoever else opens it at the same time.
    """
    sampler = NumberedSampler(config.seed)
    pruner = MedianPruner(WHOLE_TRIALS, round(UNJUDGED_SHARE * config.evaluations))
    known = None
    try:
        study = optuna.create_study(
            storage=storage, study_name=name, direction="minimize", sampler=sampler, pruner=pruner
        )
    except DuplicatedStudyError:
        study = optuna.load_study(study_name=name, storage=storage, sampler=sampler, pruner=pruner)
        known = _facts_of(study)
    if known is not None:
        _require_same(name, known, facts)
        return study
    if _is_at_work(study):
        raise RunError(f"study {name}: its trials are not of this program; choose another --study")
    if first is not None and not study.get_trials(deepcopy=False):
        study.enqueue_trial(dict(first))
    study.set_user_attr(ASKED, {**config.model_dump(mode="json", include=_TEXTS), "given": given})
    study.set_user_attr(FACTS, facts)  # last: who finds them finds a study that is begun
    return study


def _facts_of(study: Study) -> Mapping[str, Any] | None:
    """Read what a study is; its creator, a moment ago, may be about to say it."""
    until = time.monotonic() + DESCRIBED_WITHIN_S
    while FACTS not in study.user_attrs and time.monotonic() < until and not _is_at_work(study):
        time.sleep(0.1)
    facts: Mapping[str, Any] | None = study.user_attrs.get(FACTS)
    return facts


def _is_at_work(study: Study) -> bool:
    trials = study.get_trials(deepcopy=False)
    return any(trial.state != TrialState.WAITING for trial in trials)


def load_study(storage: RDBStorage, name: str) -> Study:
    """Load an Optuna study that is there already. Raises RunError."""
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError as error:
        raise RunError(f"study {name}: the storage has none of this name") from error
    if FACTS not in study.user_attrs:
        raise RunError(f"study {name}: its trials are not of this program")
    return study


def study_facts(config: TrainConfig, space: Space, corpus: Corpus) -> dict[str, object]:
    """Collect what makes a study this one: what its trials share, and what they vary."""
    manifest = corpus.manifest
    return {
        "fields": config.model_dump(mode="json", exclude=_LEFT_OUT),
        "space": {name: distribution_to_json(field) for name, field in space.fields.items()},
        "text": {
            "sha256": manifest.text_sha256,
            "training tokens": manifest.train.tokens,
            "validation tokens": manifest.valid.tokens,
        },
    }


def _require_same(name: str, known: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    kinds = {"text": "another text:", "space": "another range of", "fields": "another"}
    for kind, words in kinds.items():
        before, now = known[kind], facts[kind]
        others = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
        if others:
            raise RunError(
                f"study {name} was begun with {words} {', '.join(others)}; give what it was begun "
                "with, or choose another --study"
            )


def best_of(study: Study) -> FrozenTrial | None:
    """Find the trial with the lowest loss of those that came to their end."""
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return min(complete, key=lambda trial: (trial.value, trial.number), default=None)


def finished_numbers(study: Study) -> set[int]:
    """Find the trials that no process works on any more."""
    return {trial.number for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()}
