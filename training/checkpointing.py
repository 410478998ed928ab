"""Checkpoints of a run: the best so far, which is served, and the last state, to resume from.

At the end also the model card and the report. Knows nothing of when: the training loop says so.
"""

from pathlib import Path

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.description import Description
from model.scoring import Score
from training.data.corpus import Corpus
from training.evaluation.cross_entropy import mean_surprisal
from training.optimization.trainer import Trainer
from training.provenance import BEGUN_FROM, provenance_facts
from training.resume_state import Progress, gather_state, save_state
from training.run_report import TEMPERATURES, sample, write_card, write_run_report

Facts = dict[str, str | int | float | None]


class CheckpointSaver:
    """Writer of a run's two checkpoint folders: `best`, which is served, and `last`."""

    def __init__(
        self,
        trainer: Trainer,
        corpus: Corpus,
        *,
        last: Path,
        best: Path,
        begun_from: str | None = None,
    ) -> None:
        """Write to `last` and `best`; `begun_from` names the checkpoint that the run began with."""
        self._begun_from = begun_from
        self._trainer = trainer
        self._corpus = corpus
        self._last = last
        self.best = best

    def save_best(self, best_nats: float | None) -> None:
        """Save the network as it is now as the run's best checkpoint."""
        if self._trainer.group.is_writer:
            facts = self._facts(best_nats)
            card = write_card(self.best.name, facts, {})
            checkpoints.save(self._checkpoint(card, facts), self.best)

    def save_last(self, progress: Progress) -> None:
        """Save what resuming needs to `last`; every process has a part in it."""
        trainer = self._trainer
        gathered = gather_state(trainer)
        if trainer.group.is_writer:
            facts = self._facts(progress.best_nats)
            card = write_card(f"{self.best.name}, last state", facts, {})
            save_state(self._last, self._checkpoint(card, facts), trainer, gathered, progress)

    def finish(self, run_folder: Path, best_nats: float | None, token_length: float) -> Score:
        """Measure the best checkpoint from the zero state on, and write card and report.

        `token_length` is the mean one, in characters.
        """
        trainer = self._trainer
        if not self.best.exists():  # removed by someone, and no validation is left to write it
            with trainer.average.in_place():
                self.save_best(best_nats)
        best = checkpoints.load(self.best, trainer.network.device)
        ids = self._corpus.valid[: trainer.config.final_evaluation_tokens + 1]
        nats = mean_surprisal(best.network, ids) * (len(ids) - 1)
        score = Score(nats=nats, characters=round((len(ids) - 1) * token_length))
        provenance: Facts = {
            **best.description.provenance,
            "validation nats per character": round(score.nats_per_character, 4),
            "validation bits per character": round(score.bits_per_character, 4),
            "validated on characters": score.characters,
        }
        samples = sample(best, TEMPERATURES)
        finished = Checkpoint(
            network=best.network,
            tokenizer=best.tokenizer,
            description=best.description.model_copy(update={"provenance": provenance}),
            card=write_card(self.best.name, provenance, samples),
            word_list=best.word_list,
            copy_index=best.copy_index,
        )
        checkpoints.save(finished, self.best)
        write_run_report(run_folder / "report", run_folder, finished)
        return score

    def sample(self, temperature: float, tokens: int) -> str:
        """Generate a text sample with the network as it is now."""
        return sample(self._checkpoint("", {}), [temperature], tokens)[temperature]

    def _facts(self, best_nats: float | None) -> Facts:
        facts = provenance_facts(self._trainer, self._corpus, best_nats=best_nats)
        return {BEGUN_FROM: self._begun_from, **facts} if self._begun_from is not None else facts

    def _checkpoint(self, card: str, facts: Facts) -> Checkpoint:
        network = self._trainer.network
        description = Description(
            format=1,
            architecture=network.config,
            tokenizer=self._corpus.tokenizer.kind,
            provenance=facts,
        )
        return Checkpoint(
            network=network,
            tokenizer=self._corpus.tokenizer,
            description=description,
            card=card,
            word_list=self._corpus.word_list,
        )
