"""Token ids become batches: B parallel streams, read on in windows of T tokens.

Each row of a batch goes on where the same row of the batch before ended, so the network's
state can be carried along (truncated back-propagation through time). Every epoch starts at
another place of the text, which is read as a circle; where follows from (seed, epoch) alone, so
a position (epoch, window) is all that resuming needs. Knows nothing of networks.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.corpus import Ids
from training.errors import CorpusError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Inputs and the ids that follow them, both (B, T) int64."""

    inputs: Tensor
    targets: Tensor
    opens_epoch: bool  # rows jump to another place of the text: the state starts anew


class Streams:
    """The training ids as B streams; `epoch` and `window` say where the next batch begins."""

    def __init__(self, ids: Ids, *, batch_size: int, sequence_length: int, seed: int) -> None:
        """Raises CorpusError when the text is too short for one batch."""
        self._ids = ids
        self._length = sequence_length
        self._seed = seed
        self._stream = len(ids) // batch_size  # tokens of one row in one epoch
        self._rows = np.arange(batch_size, dtype=np.int64)[:, None] * self._stream
        self.windows_per_epoch = self._stream // sequence_length
        self.epoch = 0
        self.window = 0
        if self.windows_per_epoch == 0:
            raise CorpusError(
                f"the training text has {len(ids)} tokens, too few for batch_size {batch_size} x "
                f"sequence_length {sequence_length}; make one of them smaller"
            )

    @property
    def epochs_done(self) -> float:
        """How often the text has been read so far."""
        return self.epoch + self.window / self.windows_per_epoch

    def next(self) -> Batch:
        """The next window of every stream."""
        start = self._epoch_offset() + self.window * self._length
        places = self._rows + np.arange(start, start + self._length + 1)
        window = torch.from_numpy(self._ids[places % len(self._ids)].astype(np.int64))
        opens_epoch = self.window == 0
        self._advance()
        return Batch(inputs=window[:, :-1], targets=window[:, 1:], opens_epoch=opens_epoch)

    def _advance(self) -> None:
        self.window += 1
        if self.window == self.windows_per_epoch:
            self.epoch, self.window = self.epoch + 1, 0

    def _epoch_offset(self) -> int:
        if self.epoch == 0:
            return 0  # the first epoch begins where the text does
        return int(np.random.default_rng([self._seed, self.epoch]).integers(len(self._ids)))
