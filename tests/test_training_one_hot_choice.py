"""One-hot ids as a training step's input: where, and that the losses stay what they were."""

import numpy as np
import pytest
import torch

from model.config import ModelConfig
from model.network import Network
from training.data.batches import Streams
from training.optimization import trainer as trainers
from training.optimization.one_hot_choice import reads_one_hot
from training.optimization.regularization import Regularization
from training.optimization.trainer import Trainer
from training.train_config import TrainConfig

WIDE = {"vocab_size": 89, "embedding_size": 512, "hidden_size": 512}


def is_chosen(
    fields: dict[str, object], noise: dict[str, float], window: tuple[int, int], device: str
) -> bool:
    config = TrainConfig.model_validate({"steps": 1, "dropout": 0, **noise})
    tokens = torch.empty(window, dtype=torch.int64, device=device)
    shape = ModelConfig.model_validate({**WIDE, **fields})
    return reads_one_hot(shape, Regularization.of(config), tokens)


@pytest.mark.parametrize(
    ("expected", "fields", "noise", "window"),
    [
        (True, {}, {}, (32, 64)),
        (True, {"num_layers": 3, "tied": True}, {}, (64, 128)),
        (True, {}, {"dropout_embedding": 0.1, "weight_drop": 0.5}, (32, 64)),
        (True, {}, {"dropout_between": 0.1, "dropout_output": 0.5}, (32, 64)),
        (False, {}, {"dropout_input": 0.1}, (32, 64)),
        (False, {}, {"dropout": 0.1}, (32, 64)),
        (False, {"mogrifier_rounds": 2}, {}, (32, 64)),
        (False, {"embedding_size": 128}, {}, (32, 64)),
        (False, {"vocab_size": 8569}, {}, (32, 64)),
        (False, {}, {}, (1, 16)),  # the product with the table costs more than it saves
    ],
)
def test_it_is_chosen_where_it_saves_a_fifth_of_the_first_layer(
    *, expected: bool, fields: dict[str, object], noise: dict[str, float], window: tuple[int, int]
) -> None:
    assert is_chosen(fields, noise, window, "cpu") == expected
    assert not is_chosen(fields, noise, window, "meta")  # any other device


def test_a_training_has_the_same_losses_either_way(
    monkeypatch: pytest.MonkeyPatch, torch_as_before: None
) -> None:
    torch.set_num_threads(1)
    ids = np.arange(4000, dtype=np.uint16) % 9
    noise = {"dropout": 0, "dropout_embedding": 0.1, "weight_drop": 0.1, "dropout_output": 0.1}
    config = TrainConfig.model_validate(
        {
            "steps": 100,
            "warmup": 0,
            "batch_size": 8,
            "sequence_length": 12,
            "precision": "fp32",
            **noise,
        }
    )
    shape = ModelConfig(vocab_size=9, embedding_size=160, hidden_size=16, num_layers=1)
    chosen: list[bool] = []

    def losses() -> list[float]:
        with torch.random.fork_rng():
            torch.manual_seed(1)
            streams = Streams(ids, batch_size=8, sequence_length=12, seed=1)
            trainer = Trainer(config, Network(shape).initialise(), streams)
            return [trainer.step().loss for _ in range(24)]

    def noted(*args: object) -> bool:
        chosen.append(reads_one_hot(*args))  # type: ignore[arg-type]
        return chosen[-1]

    monkeypatch.setattr(trainers, "reads_one_hot", noted)
    ours = losses()
    assert chosen == [True] * 24
    monkeypatch.setattr(trainers, "reads_one_hot", lambda *_: False)
    plain = losses()
    assert plain[-1] < plain[0] / 2
    assert ours == pytest.approx(plain, abs=1e-4)
