"""Wider layers of a network that has been trained: more units in each, and the same function.

A unit is added with drawn weights of its own and with zeros wherever it would be read, by older
units and by the output layer, so every logit stays what it was, but for rounding; the zeros get
gradients from the first update on. After Net2Net (Chen, Goodfellow & Shlens 2016), which copies
units instead and tells the copies apart by noise, at a loss. What a narrow network has learned in
hours is not thrown away for a wide one.

Knows nothing of runs and texts.
"""

import torch
from torch import Tensor

from model.config import ModelConfig
from model.errors import ParameterError
from model.network import Network


def require_wider(config: ModelConfig, hidden_size: int) -> None:
    """Check that layers can be widened to so many units. Raises ParameterError (`widen_to`)."""
    if not config.is_plain or config.tied:
        problem = f"is for plain stacks that are not tied, and the checkpoint is {config.summary}"
        raise ParameterError("widen_to", problem)
    if hidden_size <= config.hidden_size:
        problem = f"must be more than the checkpoint's {config.hidden_size}, got {hidden_size}"
        raise ParameterError("widen_to", problem)


def with_wider_layers(network: Network, hidden_size: int, seed: int) -> Network:
    """Network with layers of `hidden_size` units that gives the logits of `network`.

    `seed` is of the new units' weights. The units that there were come first. Raises
    ParameterError.
    """
    require_wider(network.config, hidden_size)
    config = network.config.model_copy(update={"hidden_size": hidden_size})
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        wide = Network(config).initialise()
    drawn, old_width = wide.state_dict(), network.config.hidden_size
    for name, weight in network.state_dict().items():
        drawn[name] = _with_units(drawn[name], weight, old_width)
    wide.load_state_dict(drawn)
    return wide.to(network.device)


def _with_units(drawn: Tensor, weight: Tensor, old_width: int) -> Tensor:
    """Weight of the wide network: that of the old units, nothing that they read of new ones.

    Rows are units, gate by gate; columns are what they read. What no unit stands for (tokens,
    embeddings) has as many rows or columns in both.
    """
    if drawn.shape == weight.shape:
        return weight
    gates = len(weight) // old_width if len(drawn) > len(weight) else 1
    parts = []
    for new, old in zip(drawn.chunk(gates), weight.chunk(gates), strict=True):
        part = new.clone()
        part[: len(old)] = 0
        part[tuple(slice(size) for size in old.shape)] = old
        parts.append(part)
    return torch.cat(parts)
