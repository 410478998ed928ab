"""Training on text in the cell study: the same text, batches and updates for every cell.

Knows nothing of what is then measured on them.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from model.config import Cell
from model.network import Network
from training.cell_study.update_rate import affordable
from training.data.batches import Streams
from training.data.corpus import Corpus
from training.evaluation.cross_entropy import mean_surprisal
from training.optimization.trainer import Trainer
from training.train_config import TrainConfig

EMBEDDING_SIZE = 32
BATCH_SIZE, SEQUENCE_LENGTH = 16, 128
EVALUATION_TOKENS = 20_000
TRIALS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """Network before and after it has learned, both in evaluation mode."""

    before: Network
    after: Network
    nats: float  # per token of held-out text, state carried

    @property
    def by_stage(self) -> dict[str, Network]:
        """Both networks, by the name of the stage."""
        return {"untrained": self.before, "trained": self.after}


def text_config(*, steps: int, seed: int) -> TrainConfig:
    """Build the configuration of training on text; fp32, so that all have the same arithmetic."""
    return TrainConfig(
        steps=steps,
        seed=seed,
        batch_size=BATCH_SIZE,
        sequence_length=SEQUENCE_LENGTH,
        precision="fp32",
    )


def affordable_steps(corpus: Corpus, networks: Mapping[Cell, Network], seconds: float) -> int:
    """Count the updates each cell can make if all are to be trained within `seconds`."""
    config = text_config(steps=1 + TRIALS, seed=0)
    trials = [_trainer(corpus, copy.deepcopy(net), config).step for net in networks.values()]
    return affordable(trials, seconds, trials=TRIALS)


def train_on_text(corpus: Corpus, network: Network, config: TrainConfig) -> Trained:
    """Train a copy of `network` on text. Raises RunError when it diverges."""
    trainer = _trainer(corpus, copy.deepcopy(network), config)
    while trainer.progress < 1:
        trainer.step()
    after = trainer.network.eval()
    nats = mean_surprisal(after, corpus.valid[: EVALUATION_TOKENS + 1])
    return Trained(before=network, after=after, nats=nats)


def _trainer(corpus: Corpus, network: Network, config: TrainConfig) -> Trainer:
    streams = Streams(
        corpus.train,
        batch_size=config.batch_size,
        sequence_length=config.sequence_length,
        seed=config.seed,
    )
    return Trainer(config, network, streams)
