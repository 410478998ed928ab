"""A checkpoint folder that cannot be loaded: the error says what differs."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from special_files import SPECIAL
from torch import Tensor
from waiting import time_limit

from model import checkpoint as checkpoints
from model.checkpoint import CARD, CONFIG, FILES, TOKENIZER, WEIGHTS
from model.errors import CheckpointError
from model.tokenizer import Tokenizer


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Copy of a checkpoint folder that a test may damage."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "spoilt"))


def refused(folder: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        checkpoints.load(folder)
    message = str(caught.value)
    assert str(folder) in message
    assert "\n" not in message
    return message


def edit_config(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    content = json.loads((folder / CONFIG).read_text())
    change(content)
    (folder / CONFIG).write_text(json.dumps(content))


def edit_weights(folder: Path, change: Callable[[dict[str, Tensor]], object]) -> None:
    weights = safetensors.torch.load_file(folder / WEIGHTS)
    change(weights)
    safetensors.torch.save_file(weights, folder / WEIGHTS)


def test_a_place_without_a_folder_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "nowhere")


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "Not a directory" in refused(tmp_path / "file")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert name in refused(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", SPECIAL)
def test_a_special_file_is_refused_at_once_with_what_it_is(
    folder: Path, name: str, kind: str
) -> None:
    put, reason = SPECIAL[kind]
    (folder / name).unlink()
    put(folder / name)
    with time_limit():
        assert f"({name}: {reason}" in refused(folder)


def test_a_link_to_a_regular_file_is_followed(folder: Path, tmp_path: Path) -> None:
    (folder / CARD).rename(tmp_path / "card")
    (folder / CARD).symlink_to(tmp_path / "card")
    assert checkpoints.load(folder).card == "# A test\n"


def test_weights_for_which_there_is_no_memory_are_refused_unread(folder: Path) -> None:
    """The file is as long as config.json says: 16 layers of 4 x 2 x 16384 x 16384, 137 GB."""
    set_architecture(folder, hidden_size=16_384, embedding_size=16_384, num_layers=16)
    with (folder / WEIGHTS).open("r+b") as file:
        file.truncate(137 * 10**9)
    with time_limit():
        assert "take up to 548.00 GB of memory to load; there are " in refused(folder)


def test_a_name_of_the_weights_is_shown_in_part_however_long_it_is(folder: Path) -> None:
    edit_weights(folder, lambda weights: weights.update({"x" * 5000: torch.zeros(1)}))
    assert refused(folder).endswith(f": {'x' * 60}")


def test_of_many_names_of_the_weights_a_few_are_shown(folder: Path) -> None:
    extra = {f"extra.{number}": torch.zeros(1) for number in range(100)}
    edit_weights(folder, lambda weights: weights.update(extra))
    assert refused(folder).endswith("extra.15 and 92 more")


def test_an_unknown_key_of_the_config_is_shown_in_part_however_long_it_is(folder: Path) -> None:
    edit_config(folder, lambda content: content.update({"x" * 5000: 1}))
    assert f"{CONFIG}: {'x' * 60}: " in refused(folder)


@pytest.mark.parametrize("dtype", ["F16", "I16", "U16"])
def test_weights_of_another_type_of_the_same_width_are_refused(folder: Path, dtype: str) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content.replace(b'"BF16"', f'"{dtype}" '.encode()))
    assert f"is {dtype}, not BF16 or F32" in refused(folder)


@pytest.mark.parametrize("size", [0, 4, 8, 100, 5000, -1])
def test_truncated_weights_are_refused(folder: Path, size: int) -> None:
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[:size])
    assert f"{WEIGHTS}: cannot be read, is it truncated?" in refused(folder)


@pytest.mark.parametrize("size", [0, 10, -1])
def test_a_truncated_vocabulary_is_refused(folder: Path, size: int) -> None:
    (folder / TOKENIZER).write_bytes((folder / TOKENIZER).read_bytes()[:size])
    assert TOKENIZER in refused(folder)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe\xfd", b"[" * 100_000, b"[]", b"null", b'"format"']
)
def test_a_config_that_is_no_json_object_is_refused(folder: Path, content: bytes) -> None:
    (folder / CONFIG).write_bytes(content)
    assert CONFIG in refused(folder)


@pytest.mark.parametrize("number", [0, 3, "1", None])
def test_another_format_number_is_refused(folder: Path, number: object) -> None:
    edit_config(folder, lambda content: content.update(format=number))
    assert f"format {number!r}, this version reads 1 and 2" in refused(folder)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"tokenizer": "words"}, "tokenizer"),
        ({"architecture": {"vocab_size": 9, "heads": 4}}, "architecture.heads"),
        ({"architecture": {"vocab_size": 9, "hidden_size": "64"}}, "architecture.hidden_size"),
        ({"architecture": {}}, "architecture.vocab_size"),
        ({"provenance": {"a": []}}, "provenance.a"),
    ],
)
def test_a_wrong_field_of_the_config_is_named(
    folder: Path, change: dict[str, object], field: str
) -> None:
    edit_config(folder, lambda content: content.update(change))
    assert f"{CONFIG}: {field}" in refused(folder)


def test_a_missing_field_of_the_config_is_named(folder: Path) -> None:
    edit_config(folder, lambda content: content.pop("architecture"))
    assert "architecture" in refused(folder)


def set_architecture(folder: Path, **fields: object) -> None:
    def change(content: dict[str, object]) -> None:
        architecture = content["architecture"]
        assert isinstance(architecture, dict)
        architecture.update(fields)

    edit_config(folder, change)


def test_a_vocabulary_of_another_size_is_refused_with_both(folder: Path) -> None:
    size = len(Tokenizer((folder / TOKENIZER).read_bytes(), "char").piece_bytes)
    set_architecture(folder, vocab_size=size + 1)
    assert f"holds {size} tokens, config.json says vocab_size {size + 1}" in refused(folder)


def test_a_vocabulary_of_another_kind_is_refused(folder: Path) -> None:
    edit_config(folder, lambda content: content.update(tokenizer="bpe"))
    assert "kind bpe" in refused(folder)


def test_weights_of_another_shape_are_refused_with_both_shapes(folder: Path) -> None:
    set_architecture(folder, embedding_size=31)
    message = refused(folder)
    assert "embedding.weight has shape" in message
    assert ", 32), config.json wants" in message


def test_a_config_that_asks_for_far_too_much_is_refused_without_taking_memory(
    folder: Path,
) -> None:
    set_architecture(folder, hidden_size=16_384, embedding_size=16_384)
    assert "has shape" in refused(folder)


@pytest.mark.parametrize(
    ("fields", "weight"),
    [
        ({"num_layers": 3}, "layers.2.weight_hh_l0"),
        ({"num_layers": 1}, "layers.1.weight_hh_l0"),
        ({"tied": True}, "output.weight"),
    ],
)
def test_weights_too_many_or_too_few_are_named(
    folder: Path, fields: dict[str, object], weight: str
) -> None:
    set_architecture(folder, **fields)
    assert weight in refused(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_named(folder: Path, value: float) -> None:
    edit_weights(folder, lambda weights: weights["output.bias"].fill_(value))
    assert "output.bias holds values that are not finite" in refused(folder)


def test_weights_of_another_type_are_named(folder: Path) -> None:
    edit_weights(folder, lambda weights: weights.update({"output.bias": torch.zeros(1).int()}))
    assert "output.bias" in refused(folder)
    size = len(Tokenizer((folder / TOKENIZER).read_bytes(), "char").piece_bytes)
    edit_weights(folder, lambda weights: weights.update({"output.bias": torch.zeros(size).int()}))
    assert "output.bias is I32, not BF16 or F32" in refused(folder)


def test_a_pickle_in_place_of_the_weights_is_refused(folder: Path) -> None:
    torch.save({"output.bias": torch.zeros(3)}, folder / WEIGHTS)
    assert "cannot be read" in refused(folder)
