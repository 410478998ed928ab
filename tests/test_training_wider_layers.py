"""Wider layers: a network with more units gives the logits of the old one, and learns with all."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from training_runs import arguments, refusal, resuming, saved_step, stopped_after

from model import checkpoint as checkpoints
from model.checkpoint import LoadedCheckpoint
from model.config import Cell, ModelConfig
from model.errors import ParameterError
from model.network import Network
from training.__main__ import main
from training.command_line import longer_command
from training.run_folder import read_config
from training.wider_layers import with_wider_layers

V, OLD, WIDE, B, T = 11, 12, 20, 3, 40
FROM = {"embedding_size": None, "hidden_size": None, "steps": 4}
ids = torch.randint(0, V, (B, T), generator=torch.Generator().manual_seed(0))


def network_of(cell: Cell = "lstm", num_layers: int = 3, **fields: int) -> Network:
    torch.manual_seed(1)
    shape = {"cell": cell, "num_layers": num_layers, "embedding_size": 7, "hidden_size": OLD}
    network = Network(ModelConfig.model_validate({"vocab_size": V, **shape, **fields})).initialise()
    for parameter in network.parameters():  # biases, too, as training leaves them
        parameter.data.add_(0.1 * torch.randn_like(parameter))
    return network


def logits_of(network: Network) -> Tensor:
    logits: Tensor = network(ids, network.zero_state(B))[0]
    return logits


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("num_layers", [1, 3])
def test_the_logits_and_the_old_units_stay(cell: Cell, num_layers: int) -> None:
    network = network_of(cell, num_layers)
    wide = with_wider_layers(network, WIDE, seed=1)
    assert wide.config == network.config.model_copy(update={"hidden_size": WIDE})
    with torch.no_grad():
        logits, state = network(ids, network.zero_state(B))
        found, after = wide(ids, wide.zero_state(B))
    torch.testing.assert_close(found, logits, rtol=0, atol=1e-6)
    torch.testing.assert_close(after.hidden[..., :OLD], state.hidden, rtol=0, atol=1e-6)
    new = after.hidden[..., OLD:]
    assert bool((new.std(dim=1) > 1e-4).all())  # they tell texts apart
    columns = new.flatten(0, 1).t()
    assert bool((torch.pdist(columns) > 1e-3).all())  # and are not copies of one another


def test_no_weight_is_left_out_of_learning() -> None:
    wide = with_wider_layers(network_of(), WIDE, seed=1)
    optimizer = torch.optim.SGD(wide.parameters(), lr=0.1)
    for _ in range(2):  # what a new unit reads gets a gradient once it is read itself
        optimizer.zero_grad()
        loss = functional.cross_entropy(logits_of(wide).flatten(0, 1), ids.roll(-1, 1).flatten())
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    for name, parameter in wide.named_parameters():
        assert parameter.grad is not None
        assert bool((parameter.grad != 0).all(dim=-1).all()), name


def test_the_seed_decides_and_torchs_own_generator_is_not_moved() -> None:
    network = network_of()
    before = torch.get_rng_state()
    one, same, other = (with_wider_layers(network, WIDE, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, same.state_dict()[name])
    changed = [
        name
        for name, weight in one.state_dict().items()
        if not torch.equal(weight, other.state_dict()[name])
    ]
    assert changed == [f"layers.{i}.weight_{kind}_l0" for i in range(3) for kind in ("ih", "hh")]


@pytest.mark.parametrize(
    ("fields", "hidden_size", "problem"),
    [
        ({}, OLD, f"must be more than the checkpoint's {OLD}, got {OLD}"),
        ({}, OLD - 1, f"must be more than the checkpoint's {OLD}, got {OLD - 1}"),
        ({"tied": True, "embedding_size": OLD}, WIDE, "is for plain stacks that are not tied"),
        ({"layer_norm": True}, WIDE, "and the checkpoint is lstm 3 x 12, embedding 7, layer norm"),
        ({"skip": True}, WIDE, "is for plain stacks"),
        ({"mogrifier_rounds": 2}, WIDE, "is for plain stacks"),
    ],
)
def test_what_cannot_be_widened_is_refused(
    fields: dict[str, Any], hidden_size: int, problem: str
) -> None:
    with pytest.raises(ParameterError, match=problem) as caught:
        with_wider_layers(network_of(**fields), hidden_size, seed=1)
    assert caught.value.field == "widen_to"


def served(corpus: Path, name: str) -> LoadedCheckpoint:
    return checkpoints.load(corpus.parent / "checkpoints" / name)


def test_a_run_goes_on_from_a_wider_checkpoint_and_resumes_exactly(
    corpus: Path, tiny_checkpoint: Path
) -> None:
    width = checkpoints.load(tiny_checkpoint).description.architecture.hidden_size + 8
    options = {**FROM, "steps": 90, "init_from": tiny_checkpoint, "widen_to": width}
    assert main(arguments(corpus, "whole", **options)) == 0
    stopped_after(corpus, "cut", arguments(corpus, "cut", **options), 20)
    assert 20 < saved_step(corpus, "cut") < 90
    assert main(resuming(corpus, "cut")) == 0
    whole, cut = served(corpus, "whole"), served(corpus, "cut")
    assert whole.description.architecture.hidden_size == width
    begun = whole.description.provenance["begun from"]
    assert str(begun).endswith(f", widened from 2 x {width - 8}")
    assert cut.description.provenance["begun from"] == begun
    longer = longer_command(read_config(corpus.parent / "runs" / "whole"), {})
    assert "--from" in longer
    assert "--widen-to" not in longer
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, cut.network.state_dict()[name])


def test_a_run_that_cannot_widen_is_refused_and_leaves_nothing(
    corpus: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = refusal(capsys, arguments(corpus, "one", widen_to=64, steps=4))
    assert "widen_to: is of no use without from" in message
    options = {**FROM, "init_from": tiny_checkpoint, "widen_to": 8}
    message = refusal(capsys, arguments(corpus, "one", **options))
    assert "widen_to: must be more than the checkpoint's" in message
    assert not (corpus.parent / "runs" / "one").exists()
