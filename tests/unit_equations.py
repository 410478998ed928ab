"""A unit's six equations worked out by hand from a checkpoint's weights, to compare others with."""

from typing import Any, cast

import numpy as np
import torch
from torch import nn

from model.checkpoint import Checkpoint

SUMS = ("input", "forget", "candidate", "output")  # as torch keeps their weights

Numbers = np.ndarray[Any, np.dtype[Any]]


def sigmoid(values: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-values.astype(float))))


def unit_equations(loaded: Checkpoint, text: str, layer: int, unit: int) -> dict[str, Numbers]:
    """Gates, candidate, cell and hidden state of one unit after each token of a text."""
    network = loaded.network
    weights = [part.numpy() for part in cast("nn.LSTM", network.layers[layer]).all_weights[0]]
    into, recurrent, bias = weights[0], weights[1], weights[2] + weights[3]
    state, rows = network.zero_state(1), []
    for token in loaded.tokenizer.encode_prompt(text).ids:
        assert state.cell is not None
        before, cell = state.hidden[layer, 0].numpy(), float(state.cell[layer, 0, unit])
        _, state = network(torch.tensor([[token]]), state)
        x = network.embedding.weight[token] if layer == 0 else state.hidden[layer - 1, 0]
        sums = (into @ x.numpy() + recurrent @ before + bias).reshape(4, -1)[:, unit]
        i, f, o = sigmoid(sums[[0, 1, 3]])
        g = np.tanh(sums[2])
        cell = f * cell + i * g
        rows.append([i, f, g, o, cell, o * np.tanh(cell)])
    return dict(zip((*SUMS, "cell", "hidden"), np.array(rows[1:]).T, strict=True))
