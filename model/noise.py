"""The places where training may disturb a network on purpose: dropout and weight drop go here.

Whoever only generates text needs none of it. Knows nothing of what is done there.
"""

from torch import Tensor


class Noise:
    """No disturbance; training overrides what it wants. L layers, counted from 0."""

    def embedding(self, table: Tensor) -> Tensor:
        """The embedding (V, E) that a window is read with."""
        return table

    def layer_input(self, x: Tensor, layer: int) -> Tensor:
        """What `layer` reads: (T, B, width), the steps of a window first."""
        del layer
        return x

    def recurrent(self, weight: Tensor, layer: int) -> Tensor:
        """The recurrent weights (G H, H) of `layer`, for one window."""
        del layer
        return weight


NO_NOISE = Noise()
