"""Ids become parallel streams that read on, window by window."""

import numpy as np
import pytest
import torch

from training.data.batches import Streams, varied_cuts
from training.training_errors import CorpusError

IDS = np.arange(1000, dtype=np.uint16)


def streams(
    *, batch_size: int = 4, sequence_length: int = 10, seed: int = 1, vary_lengths: bool = False
) -> Streams:
    return Streams(
        IDS,
        batch_size=batch_size,
        sequence_length=sequence_length,
        seed=seed,
        vary_lengths=vary_lengths,
    )


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


def test_windows_of_random_length_read_on_without_a_gap() -> None:
    source = streams(batch_size=2, sequence_length=20, vary_lengths=True)
    batches = [source.next() for _ in range(source.windows_per_epoch)]
    read = torch.cat([batch.inputs for batch in batches], dim=1)
    assert torch.equal(read[0], torch.arange(read.shape[1]))
    assert read.shape[1] == source.windows_per_epoch * 20
    lengths = [batch.inputs.shape[1] for batch in batches]
    assert [batch.relative_length * 20 for batch in batches] == pytest.approx(lengths)
    assert len(set(lengths)) > 5


def test_one_window_in_twenty_is_around_half_as_long() -> None:
    cuts = varied_cuts(np.random.default_rng(1), 10_000, 100)
    lengths = np.diff(cuts)
    assert lengths.mean() == 100
    assert 0.04 < (lengths < 75).mean() < 0.06
    assert np.std(lengths[lengths > 75]) == pytest.approx(5 * 100 / 97.5, rel=0.1)


@pytest.mark.parametrize("length", [2, 3, 500])
def test_no_window_of_random_length_is_empty(length: int) -> None:
    cuts = varied_cuts(np.random.default_rng(2), 1000, length)
    assert np.diff(cuts).min() >= 1
    assert cuts[-1] == 1000 * length


def test_going_on_within_an_epoch_finds_the_same_windows_of_random_length() -> None:
    whole, resumed = streams(vary_lengths=True), streams(vary_lengths=True)
    batches = [whole.next() for _ in range(40)]
    resumed.epoch, resumed.window = 1, 5
    assert torch.equal(resumed.next().inputs, batches[whole.windows_per_epoch + 5].inputs)


def test_a_text_shorter_than_a_batch_is_an_error_that_says_what_to_change() -> None:
    with pytest.raises(CorpusError, match=r"1,000 tokens, .*batch_size 40 x sequence_length 64"):
        streams(batch_size=40, sequence_length=64)
