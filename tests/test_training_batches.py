"""Ids become parallel streams that read on, window by window."""

import numpy as np
import pytest
import torch

from training.batches import Streams
from training.errors import CorpusError

IDS = np.arange(1000, dtype=np.uint16)


def streams(**changes: int) -> Streams:
    options = {"batch_size": 4, "sequence_length": 10, "seed": 1, **changes}
    return Streams(IDS, **options)


def test_targets_are_the_ids_after_the_inputs() -> None:
    batch = streams().next()
    assert torch.equal(batch.targets, batch.inputs + 1)


def test_each_row_goes_on_where_it_ended() -> None:
    source = streams()
    first, second = source.next(), source.next()
    assert torch.equal(second.inputs[:, 0], first.targets[:, -1])


def test_an_epoch_reads_every_id_once() -> None:
    source = streams(batch_size=4, sequence_length=25)
    seen = [source.next().inputs for _ in range(source.windows_per_epoch)]
    assert sorted(torch.cat(seen).flatten().tolist()) == list(range(1000))


def test_only_the_first_window_of_an_epoch_opens_it() -> None:
    source = streams()
    opens = [source.next().opens_epoch for _ in range(source.windows_per_epoch + 1)]
    assert opens == [True] + [False] * (source.windows_per_epoch - 1) + [True]


def test_epochs_begin_at_different_places_that_the_seed_fixes() -> None:
    def beginnings(seed: int) -> list[int]:
        source = streams(seed=seed)
        found = []
        for source.epoch in range(4):
            source.window = 0
            found.append(int(source.next().inputs[0, 0]))
        return found

    assert beginnings(1) == beginnings(1)
    assert beginnings(1) != beginnings(2)
    assert len(set(beginnings(1))) == 4


def test_epoch_and_window_are_all_that_going_on_needs() -> None:
    whole, resumed = streams(), streams()
    batches = [whole.next() for _ in range(40)]
    resumed.epoch, resumed.window = 1, 5
    assert torch.equal(resumed.next().inputs, batches[whole.windows_per_epoch + 5].inputs)


def test_a_text_shorter_than_a_batch_is_an_error_that_says_what_to_change() -> None:
    with pytest.raises(CorpusError, match=r"1000 tokens, .*batch_size 40 x sequence_length 64"):
        streams(batch_size=40, sequence_length=64)
