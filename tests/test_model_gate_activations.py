"""Gate activations make the network's own states, in every lstm, at once or in chunks."""

from pathlib import Path

import numpy as np
import pytest
import torch
from decoders import DECODERS, decoder_by

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.config import Cell, ModelConfig
from model.decoding.decoder import CHUNK, Decoder, decoder_of
from model.decoding.prefill import Prefill, feed
from model.decoding.prompt_scores import PromptScores
from model.gate_activations import GATES, SUMS, LayerActivations, layer_activations
from model.layer_inspection import InspectedLayer, LayerInspection, LayerSteps
from model.network import Network
from model.tokenizer import Tokenizer

WIDTH = 32  # of the checkpoint `tiny`
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


def steps_of(network: Network, layer: int, cuts: tuple[int, ...] = ()) -> LayerActivations:
    """Activations of all steps, read in parts that end at `cuts`; if several, only the states."""
    state, parts = network.zero_state(1), []
    for start, end in zip((0, *cuts), (*cuts, len(IDS)), strict=True):
        steps, state = layer_activations(network, IDS[start:end], layer, state)
        parts.append(steps)
    if not cuts:
        return parts[0]
    return LayerActivations(hidden=torch.cat([part.hidden for part in parts]), gates=None)


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


@pytest.mark.parametrize("fields", KINDS)
def test_terms_make_the_gates_of_the_units_that_are_asked_for(fields: dict[str, object]) -> None:
    network, units = network_of(fields), (3, 0)
    steps, _ = layer_activations(network, IDS, 1, network.zero_state(1), units)
    assert steps.gates is not None
    assert steps.terms is not None
    sums = steps.terms.from_below + steps.terms.from_before + steps.terms.bias
    assert sums.shape == (len(IDS), len(SUMS), len(units))
    for row, name in enumerate(SUMS):
        squashed = sums[:, row].tanh() if name == "candidate" else sums[:, row].sigmoid()
        whole = getattr(steps.gates, name)[:, units]
        torch.testing.assert_close(squashed, whole, rtol=0, atol=1e-6)


def test_units_steps_go_on_from_chunk_to_chunk() -> None:
    """Also what each chunk says was there before it, and in every order of the units."""
    network, units = network_of({}), (4, 1)
    inspection = LayerInspection(network, InspectedLayer(1, units), IDS)
    for end in (5, 6, len(IDS)):
        inspection.read_up_to(end)
    steps, _ = layer_activations(network, IDS, 1, network.zero_state(1), units)
    assert steps.gates is not None
    whole = inspection.steps().units
    assert whole is not None
    cell = steps.gates.cell[:, units].numpy()
    hidden = steps.hidden[:, units].numpy()
    np.testing.assert_allclose(whole.cell, cell[1:], atol=1e-6)
    np.testing.assert_allclose(whole.hidden, hidden[1:], atol=1e-6)
    for first, before in ((0, 0), (1, 4), (2, 5)):
        part = inspection.steps(first, first + 1).units
        assert part is not None
        np.testing.assert_allclose(part.cell_before, cell[before], atol=1e-6)
        np.testing.assert_allclose(part.hidden_before, hidden[before], atol=1e-6)


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
    _, state = layer_activations(network, IDS[:9], 1, network.zero_state(1))
    rest = layer_activations(network, IDS[9:], 1, state)[0].gates
    assert whole is not None
    assert rest is not None
    for name in ("input", "forget", "candidate", "output", "cell"):
        there, here = getattr(whole, name)[9:], getattr(rest, name)
        torch.testing.assert_close(here, there, rtol=0, atol=1e-6)


def fed(decoder: Decoder, tokenizer: Tokenizer, text: str, layer: int = 1) -> Prefill:
    ids = tokenizer.encode_prompt(text).ids
    prefill = Prefill(
        decoder,
        ids,
        scores=PromptScores(tokenizer, ids, 3),
        inspection=LayerInspection(decoder.network, InspectedLayer(layer), ids),
    )
    while not prefill.is_done:
        feed(decoder, [prefill])
    return prefill


def inspected(decoder: Decoder, tokenizer: Tokenizer, text: str, layer: int = 1) -> LayerSteps:
    inspection = fed(decoder, tokenizer, text, layer).inspection
    assert inspection is not None
    assert inspection.is_finite
    return inspection.steps()


def states(content: bytes | None) -> np.ndarray:
    assert content is not None
    return np.frombuffer(content, dtype=np.int8).reshape(-1, WIDTH).astype(int)


@pytest.mark.parametrize("name", DECODERS)
def test_chunks_tell_what_one_pass_tells(name: str, tiny: Checkpoint, anthology: str) -> None:
    """Of every length that is special to a chunk, and with every backend."""
    decoder = decoder_by(name, tiny.network)
    for length in (1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7):
        ids = tiny.tokenizer.encode_prompt(anthology[:length]).ids
        steps, _ = layer_activations(tiny.network, ids, 1, tiny.network.zero_state(1))
        inspection = inspected(decoder, tiny.tokenizer, anthology[:length])
        assert steps.gates is not None
        # Half a level is rounded away, and a float at the border may fall to either side.
        hidden = (127 * steps.hidden[1:]).numpy()
        assert np.abs(states(inspection.hidden) - hidden).max() <= 0.5 + 127e-5
        cell = (127 * steps.gates.cell[1:].tanh()).numpy()
        assert np.abs(states(inspection.cell) - cell).max() <= 0.5 + 127e-5
        openings = inspection.openings
        assert openings is not None
        assert tuple(openings) == GATES
        for gate, values in steps.gates.openings().items():
            assert openings[gate] == pytest.approx(values[1:].tolist(), abs=1e-5)
            assert all(0 < value < 1 for value in openings[gate])


def test_states_are_those_after_the_token(tiny: Checkpoint) -> None:
    text = "Ah, moon"
    inspection = inspected(decoder_of(tiny.network), tiny.tokenizer, text, layer=0)
    for length in range(1, len(text) + 1):
        ids = tiny.tokenizer.encode_prompt(text[:length]).ids
        _, state = tiny.network(torch.tensor([ids]), tiny.network.zero_state(1))
        assert state.cell is not None
        own = (127 * state.hidden[0, 0]).round().tolist()
        assert states(inspection.hidden)[length - 1] == pytest.approx(own, abs=1)
        own = (127 * state.cell[0, 0].tanh()).round().tolist()
        assert states(inspection.cell)[length - 1] == pytest.approx(own, abs=1)


@pytest.mark.parametrize("name", DECODERS)
def test_looking_changes_no_score_and_no_state(name: str, tiny: Checkpoint, anthology: str) -> None:
    decoder, text = decoder_by(name, tiny.network), anthology[:80]
    looked = fed(decoder, tiny.tokenizer, text)
    ids = looked.ids
    plain = Prefill(decoder, ids, scores=PromptScores(tiny.tokenizer, ids, 3))
    while not plain.is_done:
        feed(decoder, [plain])
    assert looked.scores is not None
    assert plain.scores is not None
    assert list(looked.scores) == list(plain.scores)
    pairs = zip(looked.state, plain.state, strict=True)
    assert all(torch.equal(left, right) for left, right in pairs)


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_cells_without_gates_tell_their_hidden_state(
    cell: str, make_checkpoint: object, tmp_path: Path
) -> None:
    assert callable(make_checkpoint)
    loaded = checkpoints.load(make_checkpoint(tmp_path / cell, cell=cell))
    inspection = inspected(decoder_of(loaded.network), loaded.tokenizer, "a rose " * 9)
    assert len(inspection.hidden) == 63 * WIDTH
    assert any(inspection.hidden)
    assert inspection.cell is None
    assert inspection.openings is None


def test_numbers_that_overflow_are_found_out(tiny_checkpoint: Path, tokenizer: Tokenizer) -> None:
    network = checkpoints.load(tiny_checkpoint).network
    ids = tokenizer.encode_prompt("azure").ids
    network.embedding.weight.data[ids[2]] = torch.nan
    inspection = LayerInspection(network, InspectedLayer(1), ids)
    inspection.read_up_to(2)
    assert inspection.is_finite
    inspection.read_up_to(4)
    inspection.read_up_to(6)
    assert not inspection.is_finite
