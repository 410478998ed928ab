"""Train/validation split: which documents, or how much of one long text, are held out.

`documents` goes by the hash of a document's own text, so it stays on its side however the corpus
grows; `contiguous` holds out the end of the text. Texts named by `valid_corpus` are split off by
their files instead (training.data.document_store). Knows nothing of files and ids.
"""

from collections.abc import Sequence
from typing import Literal

SplitKind = Literal["documents", "contiguous"]
Part = Literal["train", "valid"]


def held_out_documents(digests: Sequence[bytes], fraction: float) -> list[bool]:
    """Choose the documents for validation: about `fraction` of them, by their hashes.

    At least one and, of several, not all: in a small corpus no hash may fall on one side of the
    fraction.
    """
    ranks = [int.from_bytes(digest[:8]) / 2**64 for digest in digests]
    lowest, highest = min(ranks), max(ranks)
    return [rank != highest and (rank < fraction or rank == lowest) for rank in ranks]


def num_held_out_characters(total: int, fraction: float) -> int:
    """Count the characters at the end of a text of `total` that are held out for validation."""
    return total - int(total * (1 - fraction))
