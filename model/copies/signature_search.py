"""Signature search: the longest matches of a text's signature in that of a training text.

One pass over the training text, a byte (four letters) at a time, in a compiled kernel: where three
bytes are those of the text at some place, the match is followed to both ends.
"""

from model.copies.letter_signature import Bytes, Places
from model.decoding.kernels.compiling import kernel, part

SEED = 12  # hashes that a match is found by: three bytes
_DIAGONALS = 4096  # matches that are remembered, so as not to be followed again from each byte


@part
def _hash_at(signature: Bytes, place: int) -> int:
    return int(signature[place >> 2] >> ((place & 3) << 1)) & 3


@part
def _byte_at(query: Bytes, place: int) -> int:
    first = query[place] | query[place + 1] << 2
    return int(first | query[place + 2] << 4 | query[place + 3] << 6)


@part
def _follow(signature: Bytes, query: Bytes, place: int, start: int) -> tuple[int, int]:
    """Where in the query the match that holds a seed begins and ends."""
    begin, at = start, place
    while begin > 0 and at > 0 and query[begin - 1] == _hash_at(signature, at - 1):
        begin, at = begin - 1, at - 1
    end, at = start + SEED, place + SEED
    while end < len(query) and at < 4 * len(signature) and query[end] == _hash_at(signature, at):
        end, at = end + 1, at + 1
    return begin, end


@kernel
def find_matches(
    signature: Bytes, query: Bytes, lengths: Places, places: Places, scratch: Places
) -> None:
    """Find the longest match that begins at each hash of `query`, a hash a byte.

    Fills `lengths`, in hashes (0: none), and `places`, the first in `signature` that has it.
    `scratch` is of `scratch_size(len(query))` numbers.
    """
    heads = scratch[: 1 << 16]  # by the first two bytes of a seed: a place of the query, from 1
    following = scratch[1 << 16 : (1 << 16) + len(query)]
    seen = scratch[(1 << 16) + len(query) :]  # by diagonal: where the last match ended
    heads[:] = 0
    seen[:] = -1
    for start in range(len(query) - SEED, -1, -1):
        pair = _byte_at(query, start) | _byte_at(query, start + 4) << 8
        following[start] = heads[pair]
        heads[pair] = start + 1
    for byte in range(len(signature) - 2):
        start = heads[signature[byte] | signature[byte + 1] << 8] - 1
        while start >= 0:
            slot = 2 * ((4 * byte - start) & (_DIAGONALS - 1))
            is_known = seen[slot] == 4 * byte - start and start < seen[slot + 1]
            if not is_known and _byte_at(query, start + 8) == signature[byte + 2]:
                begin, end = _follow(signature, query, 4 * byte, start)
                seen[slot], seen[slot + 1] = 4 * byte - start, end
                if end - begin > lengths[begin]:
                    lengths[begin] = end - begin
                    places[begin] = 4 * byte - start + begin
            start = following[start] - 1


def scratch_size(query_hashes: int) -> int:
    """Numbers that `find_matches` needs beside what it fills."""
    return (1 << 16) + query_hashes + 2 * _DIAGONALS
