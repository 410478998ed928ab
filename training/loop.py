"""The loop around the training step: when to measure, save, sample, and stop.

Deciding is here, computing is in the trainer, recording in the log. The order in an iteration
(step, validation, save) is fixed, so that a run resumed from a save repeats it exactly.
"""

import datetime
import math
import platform
import time
from pathlib import Path
from typing import Protocol

import torch

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint, Description
from model.scoring import Score
from training.corpus import Corpus
from training.evaluation import characters_of, evaluating, mean_surprisal
from training.report import TEMPERATURES, sample, write_card, write_report
from training.runlog import LOG_EVERY_STEPS, Display, RunLog
from training.spool import Part
from training.state import Progress, save_state
from training.trainer import StepResult, Trainer

EVALUATION_ROWS = 32
EVALUATION_SHARE = 0.15  # of the time of a run by the clock
SAMPLES = 5  # texts written to TensorBoard over a run
SAMPLE_TOKENS = 200


class StopRequest(Protocol):
    """Something that becomes true when the run should stop."""

    def __bool__(self) -> bool: ...


class Loop:
    """Trains until the budget is spent, validation stops improving, or a stop is requested."""

    def __init__(
        self,
        trainer: Trainer,
        corpus: Corpus,
        log: RunLog,
        display: Display,
        *,
        last: Path,
        best: Path,
    ) -> None:
        self.progress = Progress()
        self._trainer = trainer
        self._corpus = corpus
        self._log = log
        self._display = display
        self._last = last
        self._best = best
        self._train_rate = _tokens_per_character(corpus, "train")
        self._valid_rate = _tokens_per_character(corpus, "valid")
        self._recent: list[StepResult] = []
        self._recent_since = time.monotonic()
        self._evaluation_seconds = 0.0

    def run(self, stop: StopRequest) -> None:
        """Train. On leaving, `last` holds the state after the last step, whatever happened."""
        saved = time.monotonic()
        while self._trainer.progress < 1 and not self._gave_up and not stop:
            self._record(self._trainer.step())
            self._evaluate_if_due()
            if time.monotonic() - saved > self._trainer.config.save_seconds:
                self._save()
                saved = time.monotonic()
        self._save()

    @property
    def _gave_up(self) -> bool:
        patience = self._trainer.config.patience
        return 0 < patience <= self.progress.evaluations_without_gain

    def _record(self, result: StepResult) -> None:
        self._recent.append(result)
        if len(self._recent) < LOG_EVERY_STEPS:
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
        progress = self._trainer.progress
        self._display.update(step=step, progress=progress, nats=nats, speed=speed)
        self._recent, self._recent_since = [], now

    def _evaluate_if_due(self) -> None:
        wanted = self._trainer.config.evaluations
        due = int(self._trainer.progress * wanted)
        if due <= self.progress.evaluations or self._evaluates_too_much:
            return
        started = time.monotonic()
        limit = self._trainer.config.evaluation_tokens
        ids = self._corpus.valid[: limit + 1]
        rows = max(1, min(EVALUATION_ROWS, len(ids) // 64))
        per_token = mean_surprisal(self._trainer.network, ids, rows=rows)
        self._log_evaluation(per_token * self._valid_rate)
        if due % max(1, wanted // SAMPLES) == 0:
            self._log_sample()
        self._judge(per_token, due)
        self._recent_since = time.monotonic()
        self._evaluation_seconds += time.monotonic() - started

    @property
    def _evaluates_too_much(self) -> bool:
        """Whether a run by the clock has spent too much of it on measuring.

        With thousands of characters a validation can take as long as a hundred updates. Runs by
        steps measure at fixed steps whatever it takes, so that they can be repeated exactly.
        """
        trainer = self._trainer
        is_by_clock = trainer.budget.seconds is not None
        spent = self._evaluation_seconds / max(trainer.seconds, 1e-9)
        return is_by_clock and trainer.progress < 1 and spent > EVALUATION_SHARE

    def _log_evaluation(self, nats: float) -> None:
        step = self._trainer.step_number
        bits = nats / math.log(2)
        self._log.write(step, valid_nats=nats, valid_bits=bits)
        self._display.say(
            f"step {step:>7}  {self._trainer.progress:4.0%}  "
            f"validation {nats:.4f} nats, {bits:.4f} bits per character"
        )

    def _log_sample(self) -> None:
        with evaluating(self._trainer.network):
            text = sample(self._checkpoint("", {}), 0.8, SAMPLE_TOKENS)
        self._log.write(self._trainer.step_number, sample=text)

    def _judge(self, per_token: float, evaluations: int) -> None:
        best = self.progress.best_nats
        is_gain = best is None or per_token < best
        without_gain = 0 if is_gain else self.progress.evaluations_without_gain + 1
        self.progress = self.progress.model_copy(
            update={
                "evaluations": evaluations,
                "evaluations_without_gain": without_gain,
                "best_nats": per_token if is_gain else best,
            }
        )
        if is_gain:
            facts = self._facts()
            card = write_card(self._best.name, facts, {})
            checkpoints.save(self._checkpoint(card, facts), self._best)

    def _save(self) -> None:
        trainer = self._trainer
        self.progress = self.progress.model_copy(
            update={
                "step": trainer.step_number,
                "seconds": trainer.seconds,
                "epoch": trainer.streams.epoch,
                "window": trainer.streams.window,
            }
        )
        facts = self._facts()
        card = write_card(f"{self._best.name}, last state", facts, {})
        save_state(self._last, self._checkpoint(card, facts), trainer, self.progress)

    def finish(self, run_folder: Path) -> None:
        """Measure the best checkpoint from the zero state on, and write card and report."""
        best = checkpoints.load(self._best, self._trainer.network.device)
        ids = self._corpus.valid[: self._trainer.config.final_evaluation_tokens + 1]
        nats = mean_surprisal(best.network, ids) * self._valid_rate
        score = Score(nats=nats, characters=1)
        provenance: dict[str, str | int | float | None] = {
            **best.description.provenance,
            "validation nats per character": round(nats, 4),
            "validation bits per character": round(score.bits_per_character, 4),
            "validated on characters": round((len(ids) - 1) / self._valid_rate),
        }
        samples = {temperature: sample(best, temperature) for temperature in TEMPERATURES}
        finished = Checkpoint(
            network=best.network,
            tokenizer=best.tokenizer,
            description=best.description.model_copy(update={"provenance": provenance}),
            card=write_card(self._best.name, provenance, samples),
        )
        checkpoints.save(finished, self._best)
        write_report(run_folder / "report", run_folder, finished)
        self._log.write(self._trainer.step_number, final_nats=nats)
        self._display.say(
            f"best checkpoint: {nats:.4f} nats, {score.bits_per_character:.4f} bits per character "
            f"over {(len(ids) - 1) / self._valid_rate:,.0f} characters of the validation text"
        )

    def _checkpoint(self, card: str, facts: dict[str, str | int | float | None]) -> Checkpoint:
        network = self._trainer.network
        description = Description(
            format=1,
            architecture=network.config,
            tokenizer=self._corpus.tokenizer.kind,
            provenance=facts,
        )
        return Checkpoint(
            network=network, tokenizer=self._corpus.tokenizer, description=description, card=card
        )

    def _facts(self) -> dict[str, str | int | float | None]:
        """Where the weights come from."""
        config, manifest = self._trainer.config, self._corpus.manifest
        shape = self._trainer.network.config
        return {
            "network": (
                f"{shape.cell} {shape.num_layers} x {shape.hidden_size}, embedding "
                f"{shape.embedding_size}, dropout {shape.dropout}"
            ),
            "preset": config.preset,
            "corpus": ", ".join(Path(source.name).name for source in manifest.sources),
            "corpus sha256": manifest.text_sha256,
            "training characters": manifest.train.characters,
            "weight updates": self._trainer.step_number,
            "epochs": round(self._trainer.streams.epochs_done, 2),
            "training minutes": round(self._trainer.seconds / 60, 2),
            "best validation nats per token": self.progress.best_nats,
            "seed": config.seed,
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "torch": torch.__version__,
            "python": platform.python_version(),
        }


def _tokens_per_character(corpus: Corpus, part: Part) -> float:
    """What turns a loss per token into one per character; 1 for a char vocabulary."""
    facts = corpus.manifest.train if part == "train" else corpus.manifest.valid
    return (facts.tokens - 1) / characters_of(corpus, part)
