"""Quantization of a network's matrices: integers of at most LEVELS either side of 0, a scale a row.

What the int8 backend decodes with, and what a checkpoint of that precision holds, so that one is
the other's. Knows nothing of files and of kernels.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from model.config import ModelConfig

# Of a weight, on either side of 0: pairs of products, of one byte each without and with a sign, are
# added in 16 bits that saturate; 2 x 255 x 127 is too much for them, 2 x 255 x 63 is not.
LEVELS = 63


def row_scales(weight: Tensor) -> Tensor:
    """Scales (N,) that take the integers of each row of a weight (N, K) back to its numbers."""
    return weight.abs().amax(dim=1).clamp_min(1e-30) / LEVELS


def integers(weight: Tensor, scales: Tensor) -> Tensor:
    """Round a weight (N, K) to int8 integers, row by row, by its scales (N,)."""
    return torch.round(weight / scales.unsqueeze(1)).to(torch.int8)


def rounded_matrices(config: ModelConfig) -> list[str]:
    """Names of the matrices of a plain stack that the int8 backend rounds.

    All but the embedding and the first layer's input weights, which are multiplied before they are
    rounded.
    """
    names = [name for index in range(config.num_layers) for name in _matrices_of_layer(index)][1:]
    return names if config.tied else [*names, "output.weight"]


def scales_of_matrices(config: ModelConfig, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Row scales of the matrices among these weights that the int8 backend rounds, by their names.

    Where a row of the input weights is summed with one of the recurrent weights, both have one
    scale: everywhere but in a GRU's candidate.
    """
    scales = {name: row_scales(weights[name].float()) for name in rounded_matrices(config)}
    for index in range(1, config.num_layers):
        inputs, recurrent = (scales[name] for name in _matrices_of_layer(index))
        summed = len(inputs) if config.cell != "gru" else 2 * len(inputs) // 3
        inputs[:summed] = recurrent[:summed] = torch.maximum(inputs, recurrent)[:summed]
    return scales


def _matrices_of_layer(index: int) -> tuple[str, str]:
    return f"layers.{index}.weight_ih_l0", f"layers.{index}.weight_hh_l0"
