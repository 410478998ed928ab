"""What a way of stepping a network must do: logits for rows, from ids and a state.

Every tensor of a state has its rows in dimension 0, and that is all that anyone else knows of
it. No number of a row may depend on the other rows or on how many they are: that is the promise
of the seed. Shapes: R rows, V vocabulary, T steps.
"""

from torch import Tensor, nn

# Elements of a loop that torch shares out between threads on a CPU, from so many on. Where it cuts,
# the last bit of a sigmoid may differ, so a path must stay below.
SHARED_FROM = 32_768


class DecodePath(nn.Module):
    """The base of all paths."""

    def zero_state(self, rows: int) -> list[Tensor]:
        """The state before any text."""
        raise NotImplementedError

    def forward(self, ids: Tensor, state: list[Tensor]) -> Tensor:
        """Logits (R, V) after one more id (R,) int64 a row; `state` moves on in place."""
        raise NotImplementedError

    def feed(self, ids: Tensor, lengths: list[int], state: list[Tensor]) -> Tensor:
        """Read the first lengths[r] of ids[r] into each row, longest first. ids: (R, T) int64.

        Returns what the output layer would see after each id (R, T, ...): `logits` takes it. What
        stands behind a row's length means nothing.
        """
        raise NotImplementedError

    def logits(self, seen: Tensor) -> Tensor:
        """Logits (N, V) of N places that `feed` has seen; as those of `forward`, bit for bit."""
        raise NotImplementedError
