"""Training batches from token ids: B parallel streams of text, read in windows of T tokens.

With `vary_lengths` T differs from window to window, so that a place of the text is not always at
the same distance from a window's border, where gradients end.

Each row of a batch goes on where the same row of the batch before ended, so the network's
state can be carried along (truncated back-propagation through time). Every epoch starts at
another place of the text, which is read as a circle; where follows from (seed, epoch) alone, so
a position (epoch, window) is all that resuming needs. Knows nothing of networks.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from model.count_in_words import counted
from training.data.corpus import Ids
from training.training_errors import CorpusError

EVERY_ROW = slice(None)
LENGTH_DEVIATION = 5.0  # tokens

Cuts = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Batch of one window: input ids and the target ids that follow them, both (B, T) int64."""

    inputs: Tensor
    targets: Tensor
    relative_length: float  # T as a share of sequence_length
    opens_epoch: bool  # rows jump to another place of the text: the state starts anew


class Streams:
    """Training ids as B parallel streams; `epoch` and `window` say where the next batch begins."""

    def __init__(
        self,
        ids: Ids,
        *,
        batch_size: int,
        sequence_length: int,
        seed: int,
        vary_lengths: bool = False,
        rows: slice = EVERY_ROW,
    ) -> None:
        """Cut the ids into streams; `rows` are those of the batch that are wanted here.

        Raises CorpusError when the text is too short for one batch.
        """
        self._ids = ids
        self._length = sequence_length
        self._seed = seed
        self._vary_lengths = vary_lengths
        self._stream = len(ids) // batch_size  # tokens of one row in one epoch
        self._rows = np.arange(batch_size, dtype=np.int64)[rows, None] * self._stream
        self.windows_per_epoch = self._stream // sequence_length
        self._cuts = np.zeros(0, dtype=np.int64)
        self._cuts_of = -1  # the epoch that they are of
        self.epoch = 0
        self.window = 0
        if self.windows_per_epoch == 0:
            raise CorpusError(
                f"the training text has {counted(len(ids), 'token')}, too few for batch_size "
                f"{batch_size} x sequence_length {sequence_length}; make one of them smaller"
            )

    @property
    def epochs_done(self) -> float:
        """Number of times the text has been read so far, in fractions."""
        return self.epoch + self.window / self.windows_per_epoch

    def next(self) -> Batch:
        """Read the next window of every stream as a batch."""
        start, end = self._borders()
        places = self._rows + self._epoch_offset() + np.arange(start, end + 1)
        window = torch.from_numpy(self._ids[places % len(self._ids)].astype(np.int64))
        opens_epoch = self.window == 0
        self._advance()
        return Batch(
            inputs=window[:, :-1],
            targets=window[:, 1:],
            relative_length=(end - start) / self._length,
            opens_epoch=opens_epoch,
        )

    def _advance(self) -> None:
        self.window += 1
        if self.window == self.windows_per_epoch:
            self.epoch, self.window = self.epoch + 1, 0

    def _borders(self) -> tuple[int, int]:
        """Find where the current window begins and ends in the epoch, in tokens."""
        if not self._vary_lengths:
            return self.window * self._length, (self.window + 1) * self._length
        if self._cuts_of != self.epoch:
            rng = np.random.default_rng([self._seed, self.epoch, 1])
            self._cuts = varied_cuts(rng, self.windows_per_epoch, self._length)
            self._cuts_of = self.epoch
        return int(self._cuts[self.window]), int(self._cuts[self.window + 1])

    def _epoch_offset(self) -> int:
        if self.epoch == 0:
            return 0  # the first epoch begins where the text does
        return int(np.random.default_rng([self._seed, self.epoch]).integers(len(self._ids)))


def varied_cuts(rng: np.random.Generator, count: int, length: int) -> Cuts:
    """Draw the borders of `count` windows of random lengths, `length` on the average.

    Merity, Keskar & Socher 2018: around `length`, but one in twenty around half of it. Lengths
    are then stretched so that they fill the epoch, and each is at least 1.
    """
    around = np.where(rng.random(count) < 0.95, length, length / 2)
    drawn = np.maximum(rng.normal(around, LENGTH_DEVIATION), 1.0)
    spare = (length - 1) * count  # one token a window is certain
    stretched = np.concatenate([[0.0], np.cumsum(drawn)]) * (spare / drawn.sum())
    cuts: Cuts = np.rint(stretched).astype(np.int64) + np.arange(count + 1)
    return cuts
