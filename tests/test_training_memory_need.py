"""Memory of a run: computed before anything is built, and refused in one line."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from training_runs import arguments, refusal

from model.config import ModelConfig
from model.network import Network
from training.data.batches import Streams
from training.memory_limit import MemoryLimit
from training.memory_need import Demand, memory_need, network_lines
from training.optimization.trainer import Trainer
from training.train_config import TrainConfig

CPU = torch.device("cpu")


def held(trainer: Trainer) -> Iterator[Tensor]:
    """Tensors that a trainer keeps from step to step."""
    for weight in trainer.network.parameters():
        assert weight.grad is not None
        yield from (weight, weight.grad, *trainer.optimizer.state[weight].values())
    yield from trainer.average.averages.values()


@pytest.mark.parametrize("averaging", [0.0, 0.9])
@pytest.mark.parametrize(
    "shape",
    [
        {"hidden_size": 48, "num_layers": 3, "embedding_size": 48, "tied": True, "skip": True},
        {"cell": "gru", "layer_norm": True},
        {"cell": "rnn", "mogrifier_rounds": 3, "mogrifier_rank": 2},
    ],
    ids=str,
)
def test_what_is_kept_is_counted_to_the_parameter(
    shape: dict[str, object], averaging: float
) -> None:
    network = {"embedding_size": 24, "hidden_size": 32, **shape}
    config = TrainConfig.model_validate(
        {**network, "steps": 1, "averaging": averaging, "batch_size": 2, "sequence_length": 4}
    )
    architecture = ModelConfig.model_validate({**network, "vocab_size": 50})
    ids = np.arange(100, dtype=np.uint16) % 50
    streams = Streams(ids, batch_size=2, sequence_length=4, seed=1)
    trainer = Trainer(config, Network(architecture).initialise(), streams)
    trainer.step()
    need = memory_need(config, architecture, CPU, 2)
    counters = 4 * len(trainer.optimizer.state)  # one number a weight
    assert sum(part.nbytes for part in held(trainer)) == need.kept + counters
    assert need.parameters == sum(weight.numel() for weight in trainer.network.parameters())


def test_more_rows_and_steps_need_more_and_a_larger_network_needs_more() -> None:
    def peak(**fields: object) -> int:
        config = TrainConfig.model_validate({"steps": 1, **fields})
        shape = ModelConfig(vocab_size=100, hidden_size=config.hidden_size)
        return memory_need(config, shape, CPU, config.batch_size).on_cpu

    assert peak() < peak(batch_size=4000) < peak(batch_size=8000)
    assert peak(batch_size=4000) < peak(batch_size=4000, sequence_length=128)
    assert peak() < peak(hidden_size=512)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"hidden_size": 16_384, "num_layers": 16}, r"lower --hidden-size (16384) or --num-layers"),
        (
            {"batch_size": 65_536, "sequence_length": 65_536},
            "lower --batch-size or --sequence-length",
        ),
    ],
)
def test_a_run_that_no_machine_has_memory_for_is_refused_before_the_text_is_read(
    corpus: Path, capsys: pytest.CaptureFixture[str], fields: dict[str, object], message: str
) -> None:
    corpus.write_bytes(b"\xff")  # an error of its own, were it read
    said = refusal(capsys, arguments(corpus, "one", steps=3, **fields))
    assert message in said
    assert " GB of the " in said
    assert not (corpus.parent / "runs").exists()


def test_a_vocabulary_that_is_most_of_a_network_is_worth_a_line() -> None:
    config = TrainConfig(steps=1)
    demand = Demand(2_000_000_000, MemoryLimit(16_000_000_000, "free on this machine"))
    for size, said in ((8_569, False), (193_422, True)):
        architecture = ModelConfig(vocab_size=size)
        need = memory_need(config, architecture, CPU, 32)
        lines = list(network_lines(architecture, need, [demand]))
        assert lines[-1].endswith("memory: about 2 GB of the 16 GB free on this machine")
        assert (len(lines) == 2) == said
    assert lines[0].startswith("warning: a vocabulary of 193,422 makes")
    assert "99% of the parameters" in lines[0]
    assert "--character-coverage" in lines[0]
