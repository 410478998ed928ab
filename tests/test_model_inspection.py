"""A layer looked into while its prompt is fed: what is kept are the network's own numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from decoders import DECODERS, decoder_by

from model import checkpoint as checkpoints
from model.checkpoint import Checkpoint
from model.decoding.decoder import CHUNK, Decoder, decoder_of
from model.decoding.prefill import Prefill, feed
from model.decoding.prompt_scores import PromptScores
from model.gates import GATES, layer_steps
from model.inspection import Inspection
from model.tokenizer import Tokenizer

WIDTH = 32  # of the checkpoint `tiny`


def fed(decoder: Decoder, tokenizer: Tokenizer, text: str, layer: int = 1) -> Prefill:
    ids = tokenizer.encode_prompt(text).ids
    prefill = Prefill(
        decoder,
        ids,
        scores=PromptScores(tokenizer, ids, 3),
        inspection=Inspection(decoder.network, layer, ids),
    )
    while not prefill.is_done:
        feed(decoder, [prefill])
    return prefill


def inspected(decoder: Decoder, tokenizer: Tokenizer, text: str, layer: int = 1) -> Inspection:
    inspection = fed(decoder, tokenizer, text, layer).inspection
    assert inspection is not None
    return inspection


def states(content: bytes | None) -> np.ndarray:
    assert content is not None
    return np.frombuffer(content, dtype=np.int8).reshape(-1, WIDTH).astype(int)


@pytest.mark.parametrize("name", DECODERS)
def test_chunks_tell_what_one_pass_tells(name: str, tiny: Checkpoint, anthology: str) -> None:
    """Of every length that is special to a chunk, and on every path."""
    decoder = decoder_by(name, tiny.network)
    for length in (1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7):
        ids = tiny.tokenizer.encode_prompt(anthology[:length]).ids
        steps, _ = layer_steps(tiny.network, ids, 1, tiny.network.zero_state(1))
        inspection = inspected(decoder, tiny.tokenizer, anthology[:length])
        assert inspection.is_sound
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
    inspection = Inspection(network, 1, ids)
    inspection.read_up_to(2)
    assert inspection.is_sound
    inspection.read_up_to(4)
    inspection.read_up_to(6)
    assert not inspection.is_sound
