"""Checkpoints with int8 weights: half the size, the very same texts, refused where not whole."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from model import checkpoint as checkpoints
from model.checkpoint import CONFIG, WEIGHTS, Checkpoint
from model.config import Cell, ModelConfig
from model.decoding.backends.int8 import quantized
from model.description import Description
from model.errors import CheckpointError, ParameterError
from model.network import Network
from model.quantization import LEVELS, integers, row_scales
from model.tokenizer import Tokenizer
from model.weights_file import SCALES


def saved(tokenizer: Tokenizer, folder: Path, **architecture: object) -> Path:
    """Checkpoints `bf16` and `int8` of one network, whose rows differ in size."""
    wanted = {"embedding_size": 16, "hidden_size": 32, "num_layers": 3, **architecture}
    config = ModelConfig.model_validate({"vocab_size": tokenizer.vocab_size, **wanted})
    network = Network(config).initialise().eval()
    generator = torch.Generator().manual_seed(1)
    for weight in network.parameters():
        size = 10 ** torch.empty(len(weight)).uniform_(-4, 0.3, generator=generator)
        weight.data *= size.view(-1, *[1] * (weight.dim() - 1))
    network.output.weight.data[3] = 0.0
    description = Description(format=1, architecture=config, tokenizer=tokenizer.kind)
    whole = Checkpoint(
        network=network, tokenizer=tokenizer, description=description, card="# A test\n"
    )
    for precision in ("bf16", "int8"):
        checkpoints.save(whole, folder / precision, precision)
    return folder


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_int8_weights_decode_with_the_very_numbers_of_bf16_ones(
    tokenizer: Tokenizer, tmp_path: Path, cell: Cell, tied: bool
) -> None:
    sizes = {"embedding_size": 32} if tied else {}
    folder = saved(tokenizer, tmp_path, cell=cell, tied=tied, **sizes)
    bf16, int8 = (checkpoints.load(folder / each) for each in ("bf16", "int8"))
    assert (bf16.description.format, int8.description.format) == (1, 2)
    before, after = quantized(bf16.network), quantized(int8.network)
    for name, numbers in before._asdict().items():
        np.testing.assert_array_equal(getattr(after, name), numbers, name)


def test_every_number_of_bf16_is_a_rows_largest_and_none_is_lost() -> None:
    """So quantizing what was quantized changes nothing."""
    bits = torch.arange(0, 0x7F80, dtype=torch.int32) << 16  # all that are finite, and not negative
    largest = bits.view(torch.float32)[:, None]
    weight = torch.cat([largest, -0.3 * largest, 0.017 * largest], dim=1)
    scales = row_scales(weight)
    first = integers(weight, scales)
    assert int(first.abs().max()) == LEVELS
    restored = first * scales[:, None]
    assert torch.equal(row_scales(restored), scales)
    assert torch.equal(integers(restored, scales), first)


def test_int8_weights_take_half_of_the_space(tokenizer: Tokenizer, tmp_path: Path) -> None:
    folder = saved(tokenizer, tmp_path, hidden_size=128)
    bf16, int8 = ((folder / each / WEIGHTS).stat().st_size for each in ("bf16", "int8"))
    assert int8 < 0.56 * bf16


def test_what_was_saved_as_int8_and_loaded_is_saved_as_the_same_bytes(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    folder = saved(tokenizer, tmp_path)
    checkpoints.save(checkpoints.load(folder / "int8"), tmp_path / "again", "int8")
    for name in checkpoints.FILES:
        assert (tmp_path / "again" / name).read_bytes() == (folder / "int8" / name).read_bytes()


@pytest.mark.parametrize("field", [{"layer_norm": True}, {"skip": True}, {"mogrifier_rounds": 2}])
def test_networks_that_are_not_decoded_as_int8_are_not_stored_as_such(
    tokenizer: Tokenizer, tmp_path: Path, field: dict[str, object]
) -> None:
    with pytest.raises(ParameterError, match="precision: int8 is for plain stacks"):
        saved(tokenizer, tmp_path, **field)
    assert [path.name for path in tmp_path.iterdir()] == ["bf16"]
    config = tmp_path / "bf16" / CONFIG
    config.write_text(json.dumps({**json.loads(config.read_text()), "format": 2}))
    with pytest.raises(CheckpointError, match="format 2 is for plain stacks"):
        checkpoints.load(tmp_path / "bf16")


NAME = "layers.1.weight_hh_l0"


@pytest.mark.parametrize(
    ("name", "changed", "reason"),
    [
        (NAME + SCALES, None, f"weights do not match config.json: {NAME}{SCALES}"),
        (NAME + SCALES, torch.ones(3), "has shape \\(3,\\), config.json wants \\(128,\\)"),
        (NAME + SCALES, torch.full((128,), torch.inf), "not finite"),
        (NAME + SCALES, torch.full((128,), 3e38), "not finite"),
        (NAME + SCALES, torch.ones(128, dtype=torch.int8), "is I8, not BF16 or F32"),
        (NAME, torch.ones(128, 32), "is F32, not I8"),
        ("output.bias" + SCALES, torch.ones(1), "weights do not match config.json: output.bias"),
    ],
)
def test_int8_weights_that_are_not_whole_are_refused(
    tokenizer: Tokenizer, tmp_path: Path, name: str, changed: torch.Tensor | None, reason: str
) -> None:
    path = saved(tokenizer, tmp_path) / "int8" / WEIGHTS
    stored = safetensors.torch.load_file(path)
    stored |= {name: changed} if changed is not None else {}
    if changed is None:
        del stored[name]
    safetensors.torch.save_file(stored, path)
    with pytest.raises(CheckpointError, match=reason):
        checkpoints.load(path.parent)


@pytest.mark.parametrize(("kept", "number"), [("bf16", 2), ("int8", 1)])
def test_a_format_number_that_is_not_that_of_the_weights_is_refused(
    tokenizer: Tokenizer, tmp_path: Path, kept: str, number: int
) -> None:
    config = saved(tokenizer, tmp_path) / kept / CONFIG
    config.write_text(json.dumps({**json.loads(config.read_text()), "format": number}))
    with pytest.raises(CheckpointError, match="weights do not match config"):
        checkpoints.load(config.parent)
