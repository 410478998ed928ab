"""Hyperparameter search from its start to its end or a signal: this process's trials of one study.

Other processes may be at work on the same study at the same time.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console

from model.count_in_words import counted
from model.device import resolve_device
from training.data.corpus import Corpus
from training.data.corpus_report import corpus_lines
from training.memory_need import memory_need, network_lines
from training.origin import initial_checkpoint
from training.run import architecture_of, require_precision
from training.signals import StopRequest, request_stop_on_signal
from training.terminal_output import say
from training.train_config import TrainConfig
from training.training_errors import RunError, RunStoppedError, os_error_in_words
from training.tuning.optuna_study import (
    WHY,
    best_of,
    connected,
    database_url,
    finished_numbers,
    load_study,
    open_study,
    study_facts,
)
from training.tuning.search_space import Space
from training.tuning.study_folder import StudyFolder
from training.tuning.trials import CutShortError, Trials, in_short
from training.tuning.tuning_report import command, write_study_report

HOPELESS_TRIALS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyLocation:
    """Location of a study: its name, its folder on this machine, and its storage."""

    name: str
    folder: StudyFolder
    storage: str | None  # a database URL; the folder's own file where none is given

    @property
    def url(self) -> str:
        """URL of the study's storage."""
        return self.storage if self.storage is not None else database_url(self.folder.database)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """Plan of a search: what is varied, and how many trials this process runs."""

    given: Mapping[str, object]
    base: TrainConfig  # the preset with the given fields
    space: Space
    trials: int | None
    timeout_s: float | None


def search(location: StudyLocation, plan: SearchPlan, console: Console) -> int | None:
    """Run trials and report; the signal that ended the search, if one did. Raises ModelError."""
    resolve_device(plan.base.device)  # what no trial can do is refused here
    if not plan.space.fields.keys() & {"precision", "cell", "mogrifier_rounds"}:
        require_precision(plan.base, initial_checkpoint(plan.base))
    with ExitStack() as stack:
        stack.enter_context(_disk_failures())
        with location.folder.locked():
            data, corpus = location.folder.prepared(plan.base)
            storage = stack.enter_context(connected(location.url, partial(say, console)))
            facts = study_facts(plan.base, plan.space, corpus)
            study = open_study(
                storage,
                location.name,
                facts,
                plan.base,
                sorted(plan.given),
                first=_preset_within(plan),
            )
            _require_own_trials(study, location.folder)
        _announce(plan.base, corpus, console)
        trials = counted(len(finished_numbers(study)), "trial")
        say(console, f"study {location.name}: {trials} so far, {data}")
        signal = _run_trials(study, location.folder, plan, data, console)
        report(study, location, console)
        if signal is None:
            _require_any(study)
        return signal


@contextmanager
def _disk_failures() -> Iterator[None]:
    """Say which file cannot be written, and how to go on: trials are not resumed by themselves."""
    try:
        yield
    except (OSError, RunStoppedError) as error:
        problem = os_error_in_words(error) if isinstance(error, OSError) else str(error)
        advice = "when that is mended, go on with the same command"
        raise RunError(f"{problem}; {advice}") from error


def _announce(config: TrainConfig, corpus: Corpus, console: Console) -> None:
    """Say what all trials learn from, and how large the preset's network is."""
    say(console, *corpus_lines((*config.corpus, *config.valid_corpus), corpus))
    architecture = architecture_of(config, None, corpus.tokenizer.vocab_size)
    device = resolve_device(config.device)
    need = memory_need(config, architecture, device, config.batch_size)
    say(console, *network_lines(architecture, need, need.demands(device)))


def _require_own_trials(study: Study, folder: StudyFolder) -> None:
    trials = study.get_trials(deepcopy=False)
    numbers = {trial.number for trial in trials if trial.state != TrialState.WAITING}
    if folder.numbers() - numbers:
        raise RunError(
            f"{folder.path} holds trials of a study that the storage does not know; move it away, "
            "or choose another --study or --out"
        )


def _preset_within(plan: SearchPlan) -> dict[str, object] | None:
    """Find the preset's own values, where they lie in the space: tried first, none does worse."""
    values = {name: getattr(plan.base, name) for name in plan.space.fields}
    return values if plan.space.holds(values) else None


def _run_trials(
    study: Study, folder: StudyFolder, plan: SearchPlan, data: Path, console: Console
) -> int | None:
    stop = StopRequest()
    trials = Trials(
        preset=plan.base.preset,
        given=plan.given,
        space=plan.space,
        folder=folder,
        data=data,
        stop=stop,
        console=console,
    )

    def after(study: Study, trial: FrozenTrial) -> None:
        say(console, _trial_result(trial, best_of(study)))
        tidy(study, folder)
        if stop or _is_hopeless(study):
            study.stop()

    try:
        with request_stop_on_signal(stop):  # between trials a signal waits for the storage
            study.optimize(trials, plan.trials, plan.timeout_s, callbacks=[after])
    except CutShortError:
        tidy(study, folder)
    return stop.signal


def _trial_result(trial: FrozenTrial, best: FrozenTrial | None) -> str:
    """Format how a trial ended, in a line."""
    if trial.state == TrialState.COMPLETE:
        assert best is not None  # noqa: S101 - this one is complete
        is_best = best.number == trial.number
        standing = (
            "the best so far" if is_best else f"the best is {best.value:.4f}, trial {best.number}"
        )
        return f"trial {trial.number}: {trial.value:.4f} nats; {standing}"
    if (reason := trial.user_attrs.get(WHY)) is not None:
        return f"trial {trial.number}: left out: {reason}"
    step = trial.last_step
    assert step is not None  # noqa: S101 - only a validation prunes
    return f"trial {trial.number}: pruned at {trial.intermediate_values[step]:.4f} nats"


def _is_hopeless(study: Study) -> bool:
    """Check whether trial after trial is impossible: something is wrong that no trial changes."""
    left_out = [trial for trial in study.get_trials(deepcopy=False) if WHY in trial.user_attrs]
    return best_of(study) is None and len(left_out) >= HOPELESS_TRIALS


def _require_any(study: Study) -> None:
    if best_of(study) is None:
        reasons = [t.user_attrs.get(WHY) for t in study.get_trials(deepcopy=False)]
        last = next((reason for reason in reversed(reasons) if reason is not None), "all pruned")
        raise RunError(f"study {study.study_name}: no trial came to its end ({last})")


def tidy(study: Study, folder: StudyFolder) -> None:
    """Remove the states and checkpoints of finished trials that no one needs."""
    best = best_of(study)
    folder.tidy(finished_numbers(study), best.number if best is not None else None)


def report(study: Study, location: StudyLocation, console: Console) -> None:
    """Write the report of a study, and print the best fields and where the report is."""
    with location.folder.locked():
        write_study_report(study, location.folder)
    if (best := best_of(study)) is not None:
        say(console, f"best: {best.value:.4f} nats, trial {best.number}: {in_short(best.params)}")
        say(console, f"train with: {command(study, best)}")
    say(console, f"report: {location.folder.report}")


def report_only(location: StudyLocation, console: Console) -> None:
    """Write the report of a study that is there. Raises RunError."""
    if location.storage is None and not location.folder.database.is_file():
        raise RunError(f"{location.folder.path}: there is no study here to report")
    with connected(location.url, partial(say, console)) as storage:
        report(load_study(storage, location.name), location, console)
