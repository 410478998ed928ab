"""Recall task across a gap: a letter is marked, other letters go by, then it must be named.

    c b d h ! f a g f ... c e ?     the answer is f, the one after the mark

The letters that go by are of the same alphabet, so what is held must be shielded from what comes
in: that is what gates are for (after the tasks of Hochreiter & Schmidhuber 1997). Letters are
drawn evenly, so nothing but the marked one tells the answer.
Knows nothing of text.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.network import Network
from training.evaluation.cross_entropy import evaluation_mode
from training.optimization.optimizer import build_optimizer, learning_rate
from training.train_config import TrainConfig

TASKS, TEST_TASKS = 64, 500  # of one update, of one measurement
TEST_SEEDS = 2**62  # added to a seed: tasks of the test are not those of training


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallTask:
    """Recall task: its letters and gaps.

    Ids 0 to `letters` - 1 are letters; then the mark, then the query.
    """

    letters: int = 8
    lead: int = 4  # letters before the mark
    shortest_gap: int = 0  # in training, as is the longest; others are only tested
    longest_gap: int = 100

    @property
    def vocab_size(self) -> int:
        """Size of the task's vocabulary: letters, mark and query."""
        return self.letters + 2

    @property
    def chance(self) -> float:
        """Accuracy of naming any letter."""
        return 1 / self.letters

    def draw(self, gap: int, rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw tasks (rows, lead + 1 + 1 + gap + 1) and their answers (rows,), both int64."""
        letters = torch.randint(self.letters, (rows, self.lead + 1 + gap), generator=generator)
        mark = torch.full((rows, 1), self.letters)
        before, after = letters[:, : self.lead], letters[:, self.lead :]
        return torch.cat([before, mark, after, mark + 1], dim=1), after[:, 0]

    def draw_gap(self, generator: torch.Generator) -> int:
        """Draw a gap to train on; short ones more often (evenly on a log axis)."""
        low, high = 1 + self.shortest_gap, 2 + self.longest_gap
        exponent = float(torch.rand((), generator=generator))
        return int(low * (high / low) ** exponent) - 1


class RecallTrainer:
    """Training loop of a network on the recall task, over `config.steps` updates."""

    def __init__(self, network: Network, task: RecallTask, config: TrainConfig) -> None:
        self._network = network.train()
        self._task = task
        self._config = config
        self._optimizer = build_optimizer(network, config)
        self._generator = torch.Generator().manual_seed(config.seed)
        self._done = 0

    def step(self) -> None:
        """Update the weights once, on tasks of one gap."""
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(self._config, self._done / (self._config.steps or 1))
        gap = self._task.draw_gap(self._generator)
        tokens, answers = self._task.draw(gap, self._config.batch_size, self._generator)
        logits = _answer_logits(self._network, tokens)
        loss = functional.cross_entropy(logits, answers.to(logits.device))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), self._config.clip)
        self._optimizer.step()
        self._done += 1


def recall_config(*, steps: int, seed: int) -> TrainConfig:
    """Build the training configuration that every cell is trained on recall with."""
    return TrainConfig(steps=steps, seed=seed, batch_size=TASKS)


def train_on_recall(network: Network, task: RecallTask, config: TrainConfig) -> Network:
    """Train `network` on recall, and return it in evaluation mode."""
    trainer = RecallTrainer(network, task, config)
    for _ in range(config.steps or 0):
        trainer.step()
    return network.eval()


def accuracy(
    network: Network, task: RecallTask, gap: int, *, rows: int = TEST_TASKS, seed: int = 0
) -> float:
    """Measure a network's accuracy on fresh tasks; any id may be answered, not only letters.

    For the same seed the tasks are the same, whatever the network. Takes seeds below 2**62.
    """
    tokens, answers = task.draw(gap, rows, torch.Generator().manual_seed(TEST_SEEDS + seed))
    with evaluation_mode(network), torch.inference_mode():
        named = _answer_logits(network, tokens).argmax(dim=1).cpu()
    return float((named == answers).float().mean())


def _answer_logits(network: Network, tokens: Tensor) -> Tensor:
    """Compute the logits (B, V) after the last of `tokens` (B, T)."""
    top, _ = network.read(tokens.to(network.device), network.zero_state(len(tokens)))
    logits: Tensor = network.output(top[-1])
    return logits
