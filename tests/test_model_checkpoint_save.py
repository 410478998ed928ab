"""The checkpoint folder: what was saved is loaded, whole, whatever happens meanwhile."""

import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch

from model import checkpoint as checkpoints
from model.atomic_write import TEMPORARY_PREFIX, remove_leftovers, replacing_folder
from model.checkpoint import (
    FILES,
    WEIGHTS,
    Checkpoint,
)
from model.config import ModelConfig
from model.description import Description
from model.network import Network
from model.tokenizer import Tokenizer, TokenizerKind
from model.tokenizer_training import train_tokenizer
from model.weights_file import Precision, distinct_weights


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """Copy of a checkpoint folder that a test may damage."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "spoilt"))


def fresh(tokenizer: Tokenizer, *, fill: float | None = None, tied: bool = False) -> Checkpoint:
    config = ModelConfig(
        vocab_size=tokenizer.vocab_size, embedding_size=16, hidden_size=16, tied=tied
    )
    network = Network(config).initialise().eval()
    for weight in network.parameters() if fill is not None else ():
        weight.data.fill_(fill or 0.0)
    description = Description(
        format=1,
        architecture=config,
        tokenizer=tokenizer.kind,
        provenance={"corpus": "a", "steps": 3, "loss": 1.5, "note": None},
    )
    return Checkpoint(
        network=network,
        tokenizer=tokenizer,
        description=description,
        card=f"# Card {fill} \u2014\n",
    )


def leftovers(place: Path) -> list[str]:
    return [path.name for path in place.iterdir() if path.name.startswith(TEMPORARY_PREFIX)]


# What was saved is loaded


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_a_loaded_checkpoint_is_the_saved_one_rounded_to_its_precision(
    tokenizer: Tokenizer, tmp_path: Path, precision: Precision, dtype: torch.dtype, tied: bool
) -> None:
    saved = fresh(tokenizer, tied=tied)
    checkpoints.save(saved, tmp_path / "a", precision)
    loaded = checkpoints.load(tmp_path / "a")
    before, after = distinct_weights(saved.network), distinct_weights(loaded.network)
    assert before.keys() == after.keys()
    for name, weight in before.items():
        assert torch.equal(after[name], weight.to(dtype).float())
    assert loaded.description == saved.description
    assert loaded.card == saved.card
    assert loaded.tokenizer.serialized == saved.tokenizer.serialized


def test_saving_what_was_loaded_gives_the_same_bytes(tiny_checkpoint: Path, tmp_path: Path) -> None:
    checkpoints.save(checkpoints.load(tiny_checkpoint), tmp_path / "again")
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (tiny_checkpoint / name).read_bytes()


def test_a_loaded_network_is_for_inference_only(tiny_checkpoint: Path) -> None:
    network = checkpoints.load(tiny_checkpoint).network
    assert not network.training
    assert not any(weight.requires_grad for weight in network.parameters())
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}


def test_a_tied_output_is_stored_once_and_loaded_as_one_tensor(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    checkpoints.save(fresh(tokenizer, tied=True), tmp_path / "tied")
    assert "output.weight" not in safetensors.torch.load_file(tmp_path / "tied" / WEIGHTS)
    network = checkpoints.load(tmp_path / "tied").network
    assert network.output.weight is network.embedding.weight


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_subword_checkpoint_is_loaded_with_its_kind(
    anthology: str, tmp_path: Path, kind: TokenizerKind
) -> None:
    tokenizer = train_tokenizer([anthology[:20_000]], kind=kind, vocab_size=400)
    checkpoints.save(fresh(tokenizer), tmp_path / "sub")
    assert checkpoints.load(tmp_path / "sub").tokenizer.kind == kind


def test_a_folder_holds_the_four_files_and_is_readable_by_others(tiny_checkpoint: Path) -> None:
    assert sorted(path.name for path in tiny_checkpoint.iterdir()) == sorted(FILES)
    assert tiny_checkpoint.stat().st_mode & 0o777 == 0o755
    assert all((tiny_checkpoint / name).stat().st_mode & 0o044 for name in FILES)


def test_saving_replaces_the_whole_folder(tokenizer: Tokenizer, folder: Path) -> None:
    (folder / "stray").write_text("left by someone")
    checkpoints.save(fresh(tokenizer, fill=0.5), folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert checkpoints.load(folder).card == "# Card 0.5 \u2014\n"
    assert leftovers(folder.parent) == []


def test_saving_through_a_symbolic_link_replaces_what_it_points_to(
    tokenizer: Tokenizer, folder: Path
) -> None:
    link = folder.with_name("link")
    link.symlink_to(folder.name)
    checkpoints.save(fresh(tokenizer, fill=0.5), link)
    assert link.is_symlink()
    assert checkpoints.load(folder).card == checkpoints.load(link).card == "# Card 0.5 \u2014\n"
    assert leftovers(folder.parent) == []


# A save that fails, and a save while someone reads

SAVE_WITH_SMALL_DISK = """
import resource, sys
from pathlib import Path
from model import checkpoint as checkpoints
loaded = checkpoints.load(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    checkpoints.save(loaded, Path(sys.argv[1]), "fp32")
except OSError as error:
    print(error.strerror)
print("torch._dynamo" in sys.modules)
"""


def test_a_full_disk_leaves_the_old_checkpoint_whole_and_nothing_else(folder: Path) -> None:
    before = {name: (folder / name).read_bytes() for name in FILES}
    command = [sys.executable, "-c", SAVE_WITH_SMALL_DISK, str(folder), "10000"]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == "File too large\nFalse\n"  # nor was torch's compiler loaded
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_file_in_the_place_of_the_folder_is_left_alone(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotADirectoryError):
        checkpoints.save(fresh(tokenizer), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
    assert leftovers(tmp_path) == []


def test_a_block_that_raises_changes_nothing(folder: Path) -> None:
    def fill_in_part() -> None:
        with replacing_folder(folder) as partial:
            (partial / WEIGHTS).write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_in_part()
    assert checkpoints.load(folder).card == "# A test\n"
    assert leftovers(folder.parent) == []


def test_loading_while_the_folder_is_replaced_gives_one_checkpoint_whole(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    folder, done = tmp_path / "busy", threading.Event()
    versions = [fresh(tokenizer, fill=fill) for fill in (0.25, 0.5)]
    checkpoints.save(versions[0], folder)

    def keep_replacing() -> None:
        for turn in range(60):
            checkpoints.save(versions[turn % 2], folder)
        done.set()

    writer = threading.Thread(target=keep_replacing)
    writer.start()
    seen: dict[str, str] = {}
    while not done.is_set():
        loaded = checkpoints.load(folder)
        values = {value for w in loaded.network.parameters() for value in w.flatten().tolist()}
        assert loaded.card == f"# Card {values.pop()} \u2014\n"
        assert not values
        assert seen.setdefault(loaded.card, loaded.digest) == loaded.digest
    writer.join()
    assert len(seen) == len(set(seen.values())) == 2
    assert leftovers(tmp_path) == []


def test_a_checkpoint_that_was_loaded_survives_its_folder(folder: Path) -> None:
    loaded = checkpoints.load(folder)
    before = [weight.clone() for weight in loaded.network.parameters()]
    shutil.rmtree(folder)
    assert all(map(torch.equal, before, loaded.network.parameters()))


def test_a_card_may_hold_anything(tiny_checkpoint: Path, tmp_path: Path) -> None:
    card = "# \u2581 \U0001f600\n\n| a | b |\n"
    checkpoints.save(replace(checkpoints.load(tiny_checkpoint), card=card), tmp_path / "card")
    assert checkpoints.load(tmp_path / "card").card == card


def test_what_a_killed_writer_left_can_be_cleared_away(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY_PREFIX}tiny-abc").mkdir()
    (tmp_path / f"{TEMPORARY_PREFIX}other-abc").mkdir()
    (tmp_path / "tiny").mkdir()
    remove_leftovers(tmp_path / "tiny")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f"{TEMPORARY_PREFIX}other-abc", "tiny"]
