"""Folders of compiled kernels: one for each state of the sources, of which the latest are kept."""

import os
from pathlib import Path
from typing import Any

import pytest
import torch

from model.config import ModelConfig
from model.decoding.__main__ import main
from model.decoding.decoder import decoder_of
from model.decoding.kernels.byte_product import products
from model.decoding.kernels.compiling import KEPT_FOLDERS, PREFIX, cache_folder
from model.decoding.kernels.int8_layers import run_layer, scale_rows, update_rows
from model.decoding.kernels.row_decode import decode
from model.decoding.kernels.row_sampling import choose_rows, score_rows
from model.network import Network

KERNELS: list[Any] = [
    *(products, run_layer, scale_rows, update_rows),
    *(decode, choose_rows, score_rows),
]


@pytest.fixture
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STROPHE_CACHE", str(tmp_path / "cache"))
    cache_folder.cache_clear()
    return tmp_path / "cache"


def test_a_changed_source_beside_a_kernel_gives_another_folder(
    parent: Path, tmp_path: Path
) -> None:
    room = tmp_path / "room"
    room.mkdir()
    (room / "part.py").write_text("one = 1\n")
    before = cache_folder(room)
    cache_folder.cache_clear()
    assert cache_folder(room) == before
    (room / "part.py").write_text("one = 2\n")
    cache_folder.cache_clear()
    assert before is not None
    assert cache_folder(room) != before
    assert {before, cache_folder(room)} == set(parent.iterdir())


def test_only_the_folders_that_were_used_last_are_kept(parent: Path, tmp_path: Path) -> None:
    (parent / "texts").mkdir(parents=True)
    for age in range(KEPT_FOLDERS + 3):
        folder = parent / f"{PREFIX}{age}"
        folder.mkdir()
        (folder / "kernel.nbc").write_bytes(b"code")
        os.utime(folder, (1e9 - age, 1e9 - age))
    ours = cache_folder(tmp_path)
    kept = {parent / f"{PREFIX}{age}" for age in range(KEPT_FOLDERS - 1)}
    assert set(parent.iterdir()) == {*kept, ours, parent / "texts"}


def test_a_folder_that_cannot_be_made_means_compiling_at_every_start(
    parent: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    parent.write_text("a file where the folder would be")
    assert cache_folder(tmp_path) is None
    assert "kernels are compiled at every start" in caplog.text


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_what_is_compiled_ahead_is_all_that_any_network_needs(cell: str) -> None:
    main()
    ahead = [set(each.signatures) for each in KERNELS]
    network = Network(
        ModelConfig.model_validate(
            {"vocab_size": 31, "hidden_size": 40, "num_layers": 3, "cell": cell}
        )
    )
    decoder = decoder_of(network.initialise().eval(), "int8")
    ids = torch.zeros(3, 5, dtype=torch.int64)
    with torch.inference_mode():
        for rows in (1, 3):
            state = decoder.zero_state(rows)
            decoder.loop.score(ids[:rows], ids[:rows], [5] * rows, state, 2)
            decoder.backend.step(ids[:rows, 0].contiguous(), state)
    assert [set(each.signatures) for each in KERNELS] == ahead
    assert all(ahead)
