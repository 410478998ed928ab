"""Training loop: when to validate, save, sample and stop (budget, early stopping, stop request).

Deciding is here, computing is in the trainer, recording in the log. The order in an iteration
(step, validation, save) is fixed, so that a run resumed from a save repeats it exactly.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from model.count_in_words import counted
from training.checkpointing import CheckpointSaver
from training.data.corpus import Corpus
from training.data.train_valid_split import Part
from training.evaluation.cross_entropy import evaluation_mode, mean_surprisal, scored_characters
from training.optimization.trainer import StepResult, Trainer
from training.resume_state import Progress
from training.run_log import LOG_EVERY_STEPS, Display, Log
from training.signals import StopRequest
from training.training_errors import DivergedError

EVALUATION_ROWS = 32
EVALUATION_SHARE = 0.15  # of the time of a run by the clock
SAMPLES = 5  # texts written to TensorBoard over a run
SAMPLE_TOKENS = 200

# Called after each validation with its number, counted to `evaluations`, and its nats per
# character. What it raises ends the run.
OnValidation = Callable[[int, float], None]


class TrainingLoop:
    """Loop over training steps until budget, early stopping (patience) or a stop ends it."""

    def __init__(
        self,
        trainer: Trainer,
        corpus: Corpus,
        log: Log,
        display: Display,
        saver: CheckpointSaver,
        *,
        on_validation: OnValidation | None = None,
    ) -> None:
        self._progress = Progress()
        self._trainer = trainer
        self._corpus = corpus
        self._log = log
        self._display = display
        self._saver = saver
        self._group = trainer.group
        self._on_validation = on_validation
        self._train_rate = _tokens_per_character(corpus, "train")
        self._valid_rate = _tokens_per_character(corpus, "valid")
        self._recent: list[StepResult] = []
        self._recent_since = time.monotonic()
        self._evaluation_seconds = 0.0

    def resume_from(self, progress: Progress) -> None:
        """Take up the counters of a state that was saved."""
        best = self._saver.best
        if progress.best_nats is not None and not self._group.broadcast(best.exists()):
            self._display.say(f"{best} is gone; the next validation writes it again")
            progress = progress.model_copy(update={"best_nats": None})
        self._progress = progress

    def run(self, stop: StopRequest) -> bool:
        """Train to the end or a stop; True when a stop ended it, in whichever process.

        Unless an error ends it, `last` then holds the state after the last step.
        """
        saved = time.monotonic()
        is_stopped = self._group.any(bool(stop))
        self._evaluate_origin()
        while self._trainer.progress < 1 and not self._gave_up and not is_stopped:
            self._record(self._trainer.step())
            self._evaluate_if_due()
            waited = time.monotonic() - saved
            if self._group.broadcast(waited > self._trainer.config.save_seconds):
                with self._not_training():
                    self._save()
                saved = time.monotonic()
            is_stopped = self._group.any(bool(stop))
        if not self._gave_up and not is_stopped:
            self._evaluate_if_due()  # the clock may have run out since the last look
        self._save()
        return is_stopped

    @contextmanager
    def _not_training(self) -> Iterator[None]:
        """Leave the block's time out of the characters a second."""
        began = time.monotonic()
        yield
        self._recent_since += time.monotonic() - began

    @property
    def _gave_up(self) -> bool:
        patience = self._trainer.config.patience
        return 0 < patience <= self._progress.evaluations_without_gain

    def _record(self, result: StepResult) -> None:
        self._recent.append(result)
        trainer = self._trainer
        self._display.advance(step=trainer.step_number, progress=trainer.progress)
        # By the step's number, so that a resumed run has the lines of one that never stopped.
        if self._trainer.step_number % LOG_EVERY_STEPS != 0:
            return
        config = self._trainer.config
        now = time.monotonic()
        tokens = len(self._recent) * config.batch_size * config.sequence_length
        speed = tokens / self._train_rate / (now - self._recent_since)
        nats = sum(r.loss for r in self._recent) / len(self._recent) * self._train_rate
        step = self._trainer.step_number
        self._log.write(
            step,
            train_nats=nats,
            train_bits=nats / math.log(2),
            learning_rate=result.learning_rate,
            gradient_norm=result.gradient_norm,
            characters_per_second=speed,
            epochs=self._trainer.streams.epochs_done,
        )
        self._display.show(nats=nats, speed=speed)
        self._recent, self._recent_since = [], now

    def _evaluate_origin(self) -> None:
        """Validate the checkpoint that the run begins with: only what is better replaces it."""
        trainer = self._trainer
        if trainer.step_number == 0 and trainer.config.init_from is not None:
            with self._not_training():
                self._evaluate(0, trainer.config.evaluations)

    def _evaluate_if_due(self) -> None:
        wanted = self._trainer.config.evaluations
        due = int(self._trainer.progress * wanted)
        if due <= self._progress.evaluations or self._group.broadcast(self._evaluates_too_much):
            return
        started = time.monotonic()
        with self._not_training(), self._trainer.average.in_place():
            self._evaluate(due, wanted)
        self._trainer.update_progress()
        if self._trainer.on_validation(self._progress.evaluations_without_gain):
            # The average is another network, and gets as many validations to show its worth.
            self._progress = self._progress.model_copy(update={"evaluations_without_gain": 0})
        self._evaluation_seconds += time.monotonic() - started

    @property
    def _evaluates_too_much(self) -> bool:
        """True when a run by the clock has spent too much of it on validation.

        With thousands of characters a validation can take as long as a hundred updates. Runs by
        steps measure at fixed steps whatever it takes, so that they can be repeated exactly.
        """
        trainer = self._trainer
        is_by_clock = trainer.budget.seconds is not None
        spent = self._evaluation_seconds / max(trainer.seconds, 1e-9)
        return is_by_clock and trainer.progress < 1 and spent > EVALUATION_SHARE

    def _evaluate(self, due: int, wanted: int) -> None:
        per_token = self._group.broadcast(self._measure() if self._group.is_writer else 0.0)
        self._log_evaluation(per_token * self._valid_rate)
        if self._group.is_writer and due % max(1, wanted // SAMPLES) == 0:
            self._log_sample()
        self._judge(per_token, due)
        if self._on_validation is not None:
            self._on_validation(due, per_token * self._valid_rate)

    def _measure(self) -> float:
        """Compute nats per token of the validation text."""
        limit = self._trainer.config.evaluation_tokens
        ids = self._corpus.valid[: limit + 1]
        rows = max(1, min(EVALUATION_ROWS, len(ids) // 64))
        return mean_surprisal(self._trainer.network, ids, rows=rows)

    def _log_evaluation(self, nats: float) -> None:
        step = self._trainer.step_number
        bits = nats / math.log(2)
        self._log.write(step, valid_nats=nats, valid_bits=bits)
        self._display.say(
            f"step {step:>7}  {self._trainer.progress:4.0%}  "
            f"validation {nats:.4f} nats, {bits:.4f} bits per character"
        )

    def _log_sample(self) -> None:
        with evaluation_mode(self._trainer.network):
            text = self._saver.sample(0.8, SAMPLE_TOKENS)
        self._log.write(self._trainer.step_number, sample=text)

    def _judge(self, per_token: float, evaluations: int) -> None:
        if not math.isfinite(per_token):
            raise DivergedError(
                f"training diverged: the validation loss at step {self._trainer.step_number} is "
                f"{per_token}; the best checkpoint so far is kept. Try a lower learning_rate"
            )
        best = self._progress.best_nats
        is_gain = best is None or per_token < best
        without_gain = 0 if is_gain else self._progress.evaluations_without_gain + 1
        self._progress = self._progress.model_copy(
            update={
                "evaluations": evaluations,
                "evaluations_without_gain": without_gain,
                "best_nats": per_token if is_gain else best,
            }
        )
        if is_gain:
            self._saver.save_best(self._progress.best_nats)

    def _save(self) -> None:
        trainer = self._trainer
        self._progress = self._progress.model_copy(
            update={
                "step": trainer.step_number,
                "seconds": trainer.seconds,
                "epoch": trainer.streams.epoch,
                "window": trainer.streams.window,
                "rate_drops": trainer.rate_drops,
                "averaging_since": trainer.average.since,
            }
        )
        self._saver.save_last(self._progress)

    def finish(self, run_folder: Path) -> None:
        """Measure the best checkpoint, log its score and print it."""
        self._display.show_finishing()
        score = self._saver.finish(run_folder, self._progress.best_nats, 1 / self._valid_rate)
        self._log.write(self._trainer.step_number, final_nats=score.nats_per_character)
        self._display.say(
            f"best checkpoint: {score.nats_per_character:.4f} nats, "
            f"{score.bits_per_character:.4f} bits per character over "
            f"{counted(score.characters, 'character')} of the validation text"
        )


def _tokens_per_character(corpus: Corpus, part: Part) -> float:
    """Compute the factor from a loss per token to one per character; 1 for a char vocabulary."""
    facts = corpus.manifest.train if part == "train" else corpus.manifest.valid
    return (facts.tokens - 1) / scored_characters(corpus, part)
