"""Trials of a search: each is a training run, ended early (pruned) where it looks hopeless.

Knows nothing of how many trials there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from optuna import Trial, TrialPruned
from rich.console import Console
from rich.status import Status

from model.errors import ParameterError
from training.run import start
from training.run_log import read_metrics
from training.signals import Interrupted, StopRequest, raise_on_signal
from training.terminal_output import say
from training.train_config import TrainConfig, resolve
from training.training_errors import CorpusError, DivergedError, MemoryLimitError
from training.training_loop import OnValidation
from training.tuning.optuna_study import WHY
from training.tuning.search_space import Space, Value
from training.tuning.study_folder import StudyFolder, trial_name

NEVER_S = 1e9  # a trial is not resumed: it is begun again


class CutShortError(Exception):
    """Signal that came while a trial ran; an Exception, so the study records a failed trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Objective function of the search: trains a trial and returns the best checkpoint's nats."""

    preset: str
    given: Mapping[str, object]
    space: Space
    folder: StudyFolder
    data: Path
    stop: StopRequest
    console: Console

    def __call__(self, trial: Trial) -> float:
        """Train one trial. Raises TrialPruned for a trial that is hopeless or impossible."""
        values = self.space.drawn(trial)
        say(self.console, f"trial {trial.number}: {in_short(values)}")
        try:
            config = self._config(trial.number, values)
            with self.console.status(f"trial {trial.number}") as status:
                self._train(config, _report_to(trial, config, status))
        except (DivergedError, MemoryLimitError, ParameterError, CorpusError) as error:
            # Pruned, not failed: the sampler shall learn to keep away from here.
            reason = str(error).partition("\n")[0]
            trial.set_user_attr(WHY, reason)
            raise TrialPruned(reason) from error
        except CutShortError:
            trial.study.enqueue_trial(values)  # whoever goes on begins with it
            raise
        return _final_nats(config)

    def _config(self, number: int, values: Mapping[str, Value]) -> TrainConfig:
        places = {
            "name": trial_name(number),
            "runs_dir": self.folder.runs,
            "checkpoints_dir": self.folder.checkpoints,
            "corpus": [str(self.data)],
            "save_seconds": NEVER_S,
        }
        given = {name: value for name, value in self.given.items() if name != "valid_corpus"}
        return resolve(self.preset, {**given, **values, **places})

    def _train(self, config: TrainConfig, on_validation: OnValidation) -> None:
        if self.stop:
            raise CutShortError
        # The first signal stops the run in good order, the second one at once.
        try:
            with raise_on_signal():
                outcome = start(config, Console(quiet=True), on_validation=on_validation)
        except Interrupted as stop:
            self.stop.signal = stop.number
        else:
            self.stop.signal = outcome.stopped_by
        if self.stop:
            raise CutShortError


def _report_to(trial: Trial, config: TrainConfig, status: Status) -> OnValidation:
    """Build the callback that reports validations to the study, which may prune the trial."""

    def report(number: int, nats: float) -> None:
        status.update(
            f"trial {trial.number}: {nats:.4f} nats, {number} of {config.evaluations} validations"
        )
        trial.report(nats, number)
        if trial.should_prune():
            raise TrialPruned

    return report


def _final_nats(config: TrainConfig) -> float:
    """Read nats per character of the run's best checkpoint, from the zero state on."""
    assert config.name is not None  # noqa: S101 - `_config` sets it
    lines = read_metrics(config.runs_dir / config.name)
    return next(line["final_nats"] for line in reversed(lines) if "final_nats" in line)


def in_short(values: Mapping[str, object]) -> str:
    """Format fields and values in a line."""
    return ", ".join(f"{name} {format_value(value)}" for name, value in values.items())


def format_value(value: object) -> str:
    """Format a value for people: four digits are enough."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
