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


def scales_of_matrices(config: ModelConfig, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Row scales, by name, of the matrices among a plain stack's weights that int8 rounds.

    All but the embedding and the first layer's input weights, which are multiplied before they are
    rounded. Where a row of the input weights is summed with one of the recurrent weights, both
    have one scale: everywhere but in a GRU's candidate.
    """
    found = {}
    for index in range(config.num_layers):
        names = [f"layers.{index}.weight_{kind}_l0" for kind in ("ih", "hh")]
        inputs, recurrent = (row_scales(weights[name].float()) for name in names)
        if index > 0:
            shared = torch.maximum(inputs, recurrent)
            summed = len(shared) if config.cell != "gru" else 2 * len(shared) // 3
            inputs = torch.cat([shared[:summed], inputs[summed:]])
            recurrent = torch.cat([shared[:summed], recurrent[summed:]])
            found[names[0]] = inputs
        found[names[1]] = recurrent
    if not config.tied:  # else it is the embedding
        found["output.weight"] = row_scales(weights["output.weight"].float())
    return found
