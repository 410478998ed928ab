"""Prefix cache: recurrent states after prompts, so that a prompt that comes again costs no prefill.
Least recently used ones go first.

A state stands for having fed some first ids of a text. What is kept is bounded, and what was not
used for longest goes first. Knows nothing of tensors: a state is whatever was put in.
"""

from array import array
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Generic, TypeVar

S = TypeVar("S")


class PrefixCache(Generic[S]):
    """Least-recently-used cache of the states after at most `capacity` prefixes; 0 keeps none."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._states: OrderedDict[tuple[int, bytes], S] = OrderedDict()
        self._lengths: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._states)

    def put(self, ids: Sequence[int], state: S) -> None:
        """Keep the state after `ids`, which nobody may change any more."""
        if self._capacity == 0 or not ids:
            return
        ((_, digest),) = _digests(ids, [len(ids)])
        key = (len(ids), digest)
        if key not in self._states:
            self._lengths[len(ids)] += 1
        self._states[key] = state
        self._states.move_to_end(key)
        if len(self._states) > self._capacity:
            (length, _), _ = self._states.popitem(last=False)
            self._lengths[length] -= 1
            if not self._lengths[length]:
                del self._lengths[length]

    def longest(self, ids: Sequence[int], unit: int) -> tuple[int, S] | None:
        """Find the longest prefix of `ids` that has a state: its length and the state, or None.

        A part of `ids` counts only if it is a multiple of `unit` long.
        """
        lengths = [
            length
            for length in self._lengths
            if length == len(ids) or (length < len(ids) and length % unit == 0)
        ]
        if not lengths:  # a long prompt takes milliseconds to digest
            return None
        known = [key for key in _digests(ids, sorted(lengths)) if key in self._states]
        if not known:
            return None
        self._states.move_to_end(known[-1])
        return known[-1][0], self._states[known[-1]]


def _digests(ids: Sequence[int], lengths: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Pairs of a length and the digest of so many first ids; `lengths` must rise."""
    whole = memoryview(array("q", ids)).cast("B")
    digest, done = blake2b(digest_size=16), 0
    for length in lengths:
        digest.update(whole[done * 8 : length * 8])
        done = length
        yield length, digest.digest()
