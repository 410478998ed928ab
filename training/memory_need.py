"""Memory that training a network needs, computed before anything of it is built.

Weights, gradients, optimizer moments and averages are counted; what a step keeps for its backward
pass, and the copies that steps and saves make, are fitted to measured peaks on a CPU. Knows
nothing of texts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch

from model.config import Cell, ModelConfig
from model.count_in_words import counted
from model.device import has_fast_bf16, resolve_device
from model.network import Network
from model.weights_file import distinct_weights
from training.distributed import (
    SINGLE_PROCESS,
    ProcessGroup,
    num_local_processes,
    own_device,
)
from training.memory_limit import MemoryLimit, free_device_memory, free_memory
from training.train_config import TrainConfig
from training.training_errors import MemoryLimitError

FP32_BYTES = 4
# Values that a step keeps of each unit of a layer, step and row, by cell: gates, states, masks and
# their gradients; and of each token of the vocabulary: logits, probabilities and gradients.
KEPT_BY_CELL: dict[Cell, int] = {"lstm": 18, "gru": 13, "rnn": 7}
KEPT_BY_MOGRIFIER_ROUND = 1
KEPT_OF_LOGITS = 4
BF16_SHARE = 0.7  # of what a step keeps in fp32
COPIES = 2  # of weights and gradients in a step, of all that is saved in a save
MANY_CHARACTERS = 20_000  # a vocabulary of more is most of a network
LIBRARIES = 250_000_000  # what torch loads with the first step, and holes between huge pages
GIGABYTE = 10**9
_OF_VOCABULARY = ("embedding.", "output.")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNeed:
    """Bytes that training takes, by what for, and the numbers of parameters they follow from."""

    parameters: int
    vocabulary_parameters: int  # of embedding and output layer
    kept: int  # weights, gradients, moments, average
    activations: int
    copies: int  # that a step makes of weights and gradients
    save: int  # copies of what is saved; not while a step is computed

    @property
    def on_cpu(self) -> int:
        """Bytes at the peak of training on a CPU."""
        return LIBRARIES + self.kept + max(self.activations + self.copies, self.save)

    def demands(self, device: torch.device, processes: int = 1) -> "list[Demand]":
        """List what is taken where, by all `processes` that share the machine's memory."""
        if device.type != "cuda":
            return [Demand(processes * self.on_cpu, free_memory())]
        on_gpu = Demand(self.kept + self.activations, free_device_memory(device))
        return [on_gpu, Demand(processes * (LIBRARIES + self.save), free_memory())]


@dataclass(frozen=True, slots=True)
class Demand:
    """Bytes that will be taken, and the limit on them."""

    num_bytes: int
    limit: MemoryLimit

    def in_words(self) -> str:
        """Format what is taken, of how much."""
        there = f"{in_gigabytes(self.limit.num_bytes)} {self.limit.whose}"
        return f"about {in_gigabytes(self.num_bytes)} of the {there}"


def memory_need(
    config: TrainConfig, architecture: ModelConfig, device: torch.device, rows: int
) -> MemoryNeed:
    """Compute what training a network takes; `rows` are those of a batch in this process."""
    with torch.device("meta"):  # no memory for what may be too large
        weights = distinct_weights(Network(architecture))
    of_vocabulary = (w.numel() for name, w in weights.items() if name.startswith(_OF_VOCABULARY))
    parameters = sum(weight.numel() for weight in weights.values())
    once = parameters * FP32_BYTES
    averages = 1 if config.averaging > 0 else 0
    return MemoryNeed(
        parameters=parameters,
        vocabulary_parameters=sum(of_vocabulary),
        kept=(4 + averages) * once,
        activations=_activations(config, architecture, device, rows),
        copies=COPIES * 2 * once,
        save=COPIES * (3 + averages) * once,
    )


def _activations(
    config: TrainConfig, architecture: ModelConfig, device: torch.device, rows: int
) -> int:
    rounds = architecture.mogrifier_rounds
    by_unit = KEPT_BY_CELL[architecture.cell] + KEPT_BY_MOGRIFIER_ROUND * rounds
    is_bf16 = config.precision != "fp32" and has_fast_bf16(device)
    by_token = by_unit * architecture.num_layers * architecture.hidden_size
    by_token = int(by_token * (BF16_SHARE if is_bf16 else 1))
    by_token += KEPT_OF_LOGITS * architecture.vocab_size
    return by_token * config.sequence_length * rows * FP32_BYTES


def required_memory(
    config: TrainConfig, architecture: ModelConfig, group: ProcessGroup = SINGLE_PROCESS
) -> tuple[MemoryNeed, list[Demand]]:
    """Compute what a run takes and where, and refuse one that takes more memory than there is.

    Raises MemoryLimitError.
    """
    device = resolve_device(own_device(config.device))
    need = memory_need(config, architecture, device, config.batch_size // group.size)
    demands = need.demands(device, num_local_processes())
    for demand in demands:
        if demand.num_bytes > demand.limit.num_bytes:
            raise MemoryLimitError(
                f"training {need.parameters:,} parameters with batches of {config.batch_size} x "
                f"{counted(config.sequence_length, 'token')} would take {demand.in_words()}; "
                f"{_advice(need, config)}"
            )
    return need, demands


def network_lines(
    architecture: ModelConfig, need: MemoryNeed, demands: Iterable[Demand]
) -> Iterator[str]:
    """Describe the size of a network that is to be trained, and the memory that it will take."""
    if architecture.vocab_size > MANY_CHARACTERS:
        share = need.vocabulary_parameters / need.parameters
        yield (
            f"warning: a vocabulary of {architecture.vocab_size:,} makes embedding and output "
            f"layer {share:.0%} of the parameters ({need.vocabulary_parameters:,}); a lower "
            "--character-coverage keeps fewer characters, --tokenizer bpe or unigram needs none"
        )
    memory = " and ".join(demand.in_words() for demand in demands)
    yield f"parameters: {need.parameters:,}; memory: {memory}"


def _advice(need: MemoryNeed, config: TrainConfig) -> str:
    """Name the flags that the need hangs on most."""
    if need.activations > need.kept + need.copies:
        return "lower --batch-size or --sequence-length"
    if config.widen_to is not None:
        return f"lower --widen-to ({config.widen_to})"
    if config.init_from is not None:
        return "give a smaller checkpoint to --from"
    if 2 * need.vocabulary_parameters > need.parameters:
        return "lower --character-coverage or --embedding-size, or give --tokenizer bpe"
    sizes = f"--hidden-size ({config.hidden_size}) or --num-layers ({config.num_layers})"
    return f"lower {sizes}"


def in_gigabytes(num_bytes: int) -> str:
    """Format a number of bytes in GB, with two digits that count."""
    size = num_bytes / GIGABYTE
    return f"{size:.2g} GB" if size < 10 else f"{size:,.0f} GB"
