"""Word trie: the words that may be written, letter by letter, with the metres that lie below.

Every node knows, as bits, which stress patterns the words below it have, so that one AND says
whether a letter can still lead to a word that fits the line. Nodes stand in preorder: a parent
before its children. Arrays, so that a kernel can walk it. Knows nothing of sounds and of models.

Shapes: M nodes, W words.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from verse.composer.kernels.arrays import NONE, Bits, Floats, Places
from verse.composer.kernels.trie_walks import gather, insert

Forms = Sequence[tuple[Sequence[int], int]]  # token ids of a word, and its number


class WordTrie(NamedTuple):
    """Trie of words as token ids, with a root for the middle of a line and one for its start."""

    token: Places  # (M,) id that leads to the node from its parent
    first_child: Places  # (M,) or NONE
    next_sibling: Places  # (M,) or NONE
    word: Places  # (M,) number of the word that ends here, or NONE
    parent: Places  # (M,) or NONE
    start_root: int  # node; the root of the middle is node 0


class TrieBits(NamedTuple):
    """Bits of a trie's M nodes: what the words at and below each are fit for."""

    ends: Bits  # (M,) patterns of the word that ends here
    below: Bits  # (M,) patterns of the words that end here or below
    bonus: Floats  # (M,) the highest bonus of a word here or below, in nats


def trie_of(middle: Forms, start: Forms) -> WordTrie:
    """Build the trie of two sets of (token ids, word number); each with distinct ids."""
    first, second = (_built(sorted(forms)) for forms in (middle, start))
    offset = len(first.token)
    token, first_child, next_sibling, word, parent = (
        np.concatenate([one, np.where(other >= 0, other + offset, NONE) if holds_nodes else other])
        for one, other, holds_nodes in zip(first, second, _HOLDS_NODES, strict=True)
    )
    return WordTrie(token, first_child, next_sibling, word, parent, offset)


class _Columns(NamedTuple):
    token: Places
    first_child: Places
    next_sibling: Places
    word: Places
    parent: Places


_HOLDS_NODES = (False, True, True, False, True)


def _built(forms: Forms) -> _Columns:
    lengths = np.array([len(ids) for ids, _ in forms], np.int64)
    flat = np.array([token for ids, _ in forms for token in ids], np.int64)
    words = np.array([word for _, word in forms], np.int64)
    size = 1 + len(flat)
    columns = [np.full(size, NONE, np.int64) for _ in range(5)]
    count = insert(flat, lengths, words, *columns)
    return _Columns(*(column[:count].copy() for column in columns))


def bits_of(trie: WordTrie, patterns: Bits, bonus: Floats) -> TrieBits:
    """Bits of a trie by the patterns (W,) and bonuses (W,) of words; those without are banned."""
    ends = np.zeros(len(trie.token), np.uint64)
    highest = np.zeros(len(trie.token), np.float64)
    below = np.zeros(len(trie.token), np.uint64)
    gather(trie.word, trie.parent, patterns, bonus, ends, below, highest)
    return TrieBits(ends, below, highest)


def children(trie: WordTrie, node: int) -> Iterator[int]:
    """Nodes one letter on."""
    child = int(trie.first_child[node])
    while child != NONE:
        yield child
        child = int(trie.next_sibling[child])


def below_of(trie: WordTrie, patterns: Bits) -> Bits:
    """Patterns (M,) at and below each node, of words with these patterns (W,)."""
    return bits_of(trie, patterns, np.zeros(len(patterns))).below
