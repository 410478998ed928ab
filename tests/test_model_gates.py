"""The gates of a layer: those that make the network's own states, in every lstm there can be."""

import pytest
import torch

from model.config import Cell, ModelConfig
from model.gates import GATES, LayerSteps, layer_steps
from model.network import Network

IDS = [0, 3, 1, 8, 8, 2, 5, 4, 7, 7, 6, 1, 0, 2, 8, 3, 3, 5, 1, 4]
KINDS: list[dict[str, object]] = [
    {},
    {"layer_norm": True},
    {"skip": True},
    {"mogrifier_rounds": 3, "mogrifier_rank": 2},
    {"layer_norm": True, "skip": True, "mogrifier_rounds": 2},
]


def network_of(fields: dict[str, object], cell: Cell = "lstm") -> Network:
    shape = {"vocab_size": 9, "embedding_size": 4, "hidden_size": 5, "num_layers": 3}
    torch.manual_seed(0)
    network = Network(ModelConfig.model_validate({"cell": cell, **shape, **fields}))
    return network.initialise().eval().requires_grad_(requires_grad=False)


def steps_of(network: Network, layer: int, cuts: tuple[int, ...] = ()) -> LayerSteps:
    """All steps, read in parts that end at `cuts`; of several parts only the hidden states."""
    state, parts = network.zero_state(1), []
    for start, end in zip((0, *cuts), (*cuts, len(IDS)), strict=True):
        steps, state = layer_steps(network, IDS[start:end], layer, state)
        parts.append(steps)
    if not cuts:
        return parts[0]
    return LayerSteps(hidden=torch.cat([part.hidden for part in parts]), gates=None)


@pytest.mark.parametrize("layer", [0, 1, 2])
@pytest.mark.parametrize("fields", KINDS)
def test_the_gates_give_back_the_networks_states(fields: dict[str, object], layer: int) -> None:
    network = network_of(fields)
    gates = steps_of(network, layer).gates
    assert gates is not None
    for gate in (gates.input, gates.forget, gates.output):
        assert gate.shape == (len(IDS), 5)
        assert 0 < float(gate.min()) < float(gate.max()) < 1
    previous = torch.cat([torch.zeros(1, 5), gates.cell[:-1]])
    torch.testing.assert_close(gates.forget * previous + gates.input * gates.candidate, gates.cell)
    hidden = gates.output * gates.cell.tanh()
    state = network.zero_state(1)
    for step, token in enumerate(IDS):
        _, state = network(torch.tensor([[token]]), state)
        assert state.cell is not None
        torch.testing.assert_close(gates.cell[step], state.cell[layer, 0], rtol=0, atol=1e-6)
        torch.testing.assert_close(hidden[step], state.hidden[layer, 0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_hidden_states_are_those_of_the_network(cell: Cell, layer: int) -> None:
    network = network_of({}, cell)
    steps = steps_of(network, layer)
    _, after = network(torch.tensor([IDS]), network.zero_state(1))
    torch.testing.assert_close(steps.hidden[-1], after.hidden[layer, 0], rtol=0, atol=1e-6)
    assert (steps.gates is None) is (cell != "lstm")


@pytest.mark.parametrize("fields", KINDS)
def test_reading_in_parts_is_reading_at_once(fields: dict[str, object]) -> None:
    network = network_of(fields)
    at_once = steps_of(network, 1)
    for cuts in ((1,), (7, 8, 19), (10,)):
        in_parts = steps_of(network, 1, cuts).hidden
        torch.testing.assert_close(in_parts, at_once.hidden, rtol=0, atol=1e-6)


def test_openings_are_means_over_the_units() -> None:
    gates = steps_of(network_of({}), 2).gates
    assert gates is not None
    openings = gates.openings()
    assert tuple(openings) == GATES
    assert float(openings["forget"][3]) == pytest.approx(float(gates.forget[3].mean()))


def test_a_part_tells_the_gates_that_the_whole_tells() -> None:
    """Also of the cell state, which each part carries on from the one before."""
    network = network_of({})
    whole = steps_of(network, 1).gates
    _, state = layer_steps(network, IDS[:9], 1, network.zero_state(1))
    rest = layer_steps(network, IDS[9:], 1, state)[0].gates
    assert whole is not None
    assert rest is not None
    for name in ("input", "forget", "candidate", "output", "cell"):
        there, here = getattr(whole, name)[9:], getattr(rest, name)
        torch.testing.assert_close(here, there, rtol=0, atol=1e-6)
