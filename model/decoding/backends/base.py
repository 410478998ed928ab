"""Backend: the base class of decode backends, which give logits for rows, from ids and a state.

Every tensor of a state has its rows in dimension 0, and that is all that anyone else knows of
it. No number of a row may depend on the other rows or on how many they are: that is the promise
of the seed. Shapes: R rows, V vocabulary, T steps.
"""

from abc import ABC, abstractmethod

from torch import Tensor


class Backend(ABC):
    """Decode backend: steps a network for many rows, each as if it were alone."""

    @abstractmethod
    def zero_state(self, rows: int) -> list[Tensor]:
        """Zero state, that before any text, for `rows` rows."""

    @abstractmethod
    def step(self, ids: Tensor, state: list[Tensor]) -> Tensor:
        """Logits (R, V) after one more id (R,) int64 a row; `state` moves on in place."""

    @abstractmethod
    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> Tensor:
        """Read the first lengths[r] of ids[r] into each row, longest first. ids: (R, T) int64.

        Returns what the output layer would see after each id (R, T, ...): `logits` takes it. The
        values at places past a row's length have no meaning.
        """

    @abstractmethod
    def logits(self, seen: Tensor) -> Tensor:
        """Logits (N, V) of N places of what `feed` returned, bit for bit those of `step`."""
