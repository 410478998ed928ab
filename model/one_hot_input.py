"""One-hot input: a layer above an embedding, computed as a layer that reads the ids themselves.

The input products of such a layer are W (E' x), with x the one-hot vector of an id; (W E') x is the
same. W E' is one product for a whole window, and those that remain are as wide as the vocabulary
instead of the embedding: less arithmetic, forward and backward, where the vocabulary is smaller.

Shapes: B rows, T steps, V vocabulary, E embedding.
"""

import torch
from torch import Tensor
from torch.nn import functional

_MULTIPLE = 32  # bf16 numbers in a row of an AMX tile, and whole registers of float32


def one_hot_width(vocab_size: int) -> int:
    """Width of one-hot vectors, padded: products of an odd width take half as long again."""
    return -(-vocab_size // _MULTIPLE) * _MULTIPLE


def one_hot_input(ids: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    """Padded one-hot vectors of ids (T, B), and the embedding table (V, E) padded alike.

    Both are of the table's type; V becomes `one_hot_width` of it, of which the rest is zeros.
    """
    width = one_hot_width(len(table))
    units = torch.eye(width, dtype=table.dtype, device=table.device)
    return functional.embedding(ids, units), functional.pad(table, (0, 0, 0, width - len(table)))
