"""Kernels of word tries: building one, and gathering what lies below its nodes.

Shapes: M nodes, W words. Nodes stand in preorder: children come after their parent. Knows nothing
of lines.
"""

import numpy as np

from model.decoding.kernels.compiling import kernel
from verse.composer.kernels.arrays import Bits, Floats, Places


@kernel
def insert(
    flat: Places,
    lengths: Places,
    words: Places,
    token: Places,
    first_child: Places,
    next_sibling: Places,
    word: Places,
    parent: Places,
) -> int:
    """Insert sorted forms into the columns of a trie; the number of nodes."""
    longest = 0
    for length in lengths:
        longest = max(longest, length)
    path = np.zeros(longest + 1, np.int64)  # nodes of the form before, from the root
    count, start, before = 1, 0, 0
    for i in range(len(lengths)):
        length, shared = lengths[i], 0
        while shared < min(length, before) and token[path[shared + 1]] == flat[start + shared]:
            shared += 1
        for depth in range(shared, length):
            above = path[depth]
            if depth == shared and depth < before:
                next_sibling[path[depth + 1]] = count
            else:
                first_child[above] = count
            token[count], parent[count] = flat[start + depth], above
            path[depth + 1] = count
            count += 1
        word[path[length]] = words[i]
        start += length
        before = length
    return count


@kernel
def gather(
    word: Places,
    parent: Places,
    patterns: Bits,
    bonus: Floats,
    ends: Bits,
    below: Bits,
    highest: Floats,
) -> None:
    """Gather what stands below each node, from the leaves up: children come after their parent."""
    for node in range(len(word) - 1, -1, -1):
        if word[node] >= 0:
            mine = patterns[word[node]]
            ends[node] = mine
            if mine != 0:
                value = bonus[word[node]]
                highest[node] = value if below[node] == 0 else max(highest[node], value)
            below[node] |= mine
        above = parent[node]
        if above >= 0 and below[node] != 0:
            if below[above] == 0:
                highest[above] = highest[node]
            else:
                highest[above] = max(highest[above], highest[node])
            below[above] |= below[node]


@kernel
def lift(first_child: Places, next_sibling: Places, below: Bits) -> None:
    """Add to each node's bits those of all nodes below it; children come after their parent."""
    for node in range(len(first_child) - 1, -1, -1):
        child = first_child[node]
        while child >= 0:
            below[node] |= below[child]
            child = next_sibling[child]
