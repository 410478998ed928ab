"""Noise: the places where training may disturb a network while it reads a window.

Knows nothing of what disturbs it; `training/optimization/regularization.py` does.
"""

from torch import Tensor


class Noise:
    """Dropout hooks: what training may disturb while a network reads; this base disturbs nothing.

    L layers, counted from 0. Whoever only generates text needs none of it.
    """

    def embedding(self, table: Tensor) -> Tensor:
        """Embedding table (V, E) that a window is read with."""
        return table

    def layer_input(self, x: Tensor, layer: int) -> Tensor:
        """Input of `layer`: (T, B, width), the steps of a window first."""
        del layer  # kept for subclasses, which treat layers differently
        return x

    def recurrent(self, weight: Tensor) -> Tensor:
        """Recurrent weights (G H, H) of a layer, for one window."""
        return weight


NO_NOISE = Noise()
