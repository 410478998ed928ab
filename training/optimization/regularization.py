"""Regularization against overfitting: masks of locked dropout and weight drop, and penalties.

All masks are drawn from torch's global generator, once a window. Knows nothing of data and runs.
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from model.noise import Noise
from training.train_config import TrainConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Regularization(Noise):
    """Dropout and penalties of a training step, as shares dropped and weights in the loss.

    Locked (variational) dropout, Gal & Ghahramani 2016: one mask a row, the same for all steps of
    a window, so that what is dropped stays out of sight; it also costs a T-th of the drawing.
    Weight drop, Merity, Keskar & Socher 2018: recurrent weights are dropped before the window is
    read (DropConnect, Wan et al. 2013), so that fused kernels still run it.
    Embedding dropout, Gal & Ghahramani 2016: all of a token's vector, wherever it stands.
    Activation and temporal activation regularisation, Merity, McCann & Socher 2017.
    """

    inputs: float
    between: float
    outputs: float
    embeddings: float
    recurrent_weights: float
    activation: float  # the penalties' weights in the loss
    temporal_activation: float

    @classmethod
    def of(cls, config: TrainConfig) -> "Regularization":
        """Build the regularization that a configuration asks for."""

        def share(own: float | None) -> float:
            return config.dropout if own is None else own

        return cls(
            inputs=share(config.dropout_input),
            between=share(config.dropout_between),
            outputs=share(config.dropout_output),
            embeddings=config.dropout_embedding,
            recurrent_weights=config.weight_drop,
            activation=config.activation_reg,
            temporal_activation=config.temporal_activation_reg,
        )

    def embedding(self, table: Tensor) -> Tensor:
        """Drop the vectors of some tokens from the embedding table (V, E)."""
        if self.embeddings == 0:
            return table
        return table * functional.dropout(table.new_ones(len(table), 1), self.embeddings)

    def layer_input(self, x: Tensor, layer: int) -> Tensor:
        """Drop parts of a layer's input (T, B, width), under one mask a row."""
        return _locked(x, self.inputs if layer == 0 else self.between)

    def recurrent(self, weight: Tensor) -> Tensor:
        """Drop some recurrent weights (weight drop)."""
        if self.recurrent_weights == 0:
            return weight
        return functional.dropout(weight, self.recurrent_weights)

    def output(self, top: Tensor) -> Tensor:
        """Drop parts of what the output layer sees, (T, B, H), under one mask a row."""
        return _locked(top, self.outputs)

    def penalty(self, top: Tensor, seen: Tensor) -> Tensor:
        """Compute the activation penalties (AR, TAR) that are added to the loss.

        `top` (T, B, H) is the top layer's output as it came, `seen` as the output layer saw it.
        """
        penalty = top.new_zeros(())
        if self.activation > 0:
            penalty = penalty + self.activation * seen.float().square().mean()
        if self.temporal_activation > 0 and len(top) > 1:
            change = top[1:].float() - top[:-1].float()
            penalty = penalty + self.temporal_activation * change.square().mean()
        return penalty


def _locked(x: Tensor, share: float) -> Tensor:
    if share == 0:
        return x
    return x * functional.dropout(x.new_ones(x.shape[1:]), share)
