"""Numeric precision of a training step: bf16 autocast where it is fast, or where it is asked for.

Weights, optimizer and losses are fp32 in either case. Knows nothing of runs and files.
"""

import torch

from model.config import ModelConfig
from model.device import has_bf16_lstm, has_fast_bf16
from model.errors import ParameterError
from training.distributed import ProcessGroup
from training.train_config import TrainConfig


def autocast_dtype(
    config: TrainConfig, architecture: ModelConfig, device: torch.device, group: ProcessGroup
) -> torch.dtype | None:
    """Type that products of a training step are computed in; None for that of the weights.

    It is the same in all processes of the group: their machines may differ, what they carry and
    exchange may not. Raises ParameterError where bf16 is asked for and one of them has no kernel
    for it.
    """
    if config.precision == "fp32":
        return None
    if config.precision == "auto" and group.any(not has_fast_bf16(device)):
        return None
    if not _is_fused_lstm(architecture) or not group.any(not has_bf16_lstm(device)):
        return torch.bfloat16
    if config.precision == "auto":
        return None
    others = " of one of the processes" if group.size > 1 else ""
    problem = f"the {device.type}{others} has no kernel for an lstm in bf16; give auto or fp32"
    raise ParameterError("precision", problem)


def _is_fused_lstm(architecture: ModelConfig) -> bool:
    """Check whether layers run by torch's fused LSTM; a Mogrifier runs every step by itself."""
    return architecture.cell == "lstm" and architecture.mogrifier_rounds == 0
