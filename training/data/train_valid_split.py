"""Train/validation split: which documents, or how much of one long text, are held out.

`documents` goes by the hash of a document's own text, so it stays on its side however the corpus
grows; documents that share lines, or where it is asked for an author, go together by the hash of
the first or of the author's name. `contiguous` holds out the end of the text. Texts named by
`valid_corpus` are split off by their files instead (training.data.document_store). Knows nothing of
files and ids.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from model.errors import ParameterError
from training.data.deduplication import document_digest

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


def split_keys(
    digests: Sequence[bytes],
    links: Iterable[tuple[int, int]],
    authors: Sequence[str | None] = (),
) -> list[bytes]:
    """Hashes to hold documents out by: the same for documents that must be on the same side.

    `links` are pairs of such documents; `authors`, where given, tie all that one wrote. Where
    all would be tied together, each goes by itself. Raises ParameterError where by author nothing
    can be split.
    """
    by_author: dict[str, int] = {}
    names = [_name(author) for author in authors]
    tied = [(by_author.setdefault(name, at), at) for at, name in enumerate(names) if name]
    roots = linked_groups([*links, *tied], len(digests))
    is_one = len(set(roots)) < 2
    if authors and (not by_author or is_one):
        found = "all documents are of one author" if by_author else "no file tells its author"
        raise ParameterError("by_author", f"{found}; leave it out, or name valid_corpus")
    if is_one:
        return list(digests)
    return [
        document_digest(names[root].encode()) if names and names[root] else digests[root]
        for root in roots
    ]


def _name(author: str | None) -> str:
    return "" if author is None else " ".join(author.casefold().split())


def linked_groups(links: Iterable[tuple[int, int]], documents: int) -> list[int]:
    """Group documents that are linked, directly or by others: the first of its group for each."""
    first = list(range(documents))

    def root(at: int) -> int:
        while first[at] != at:
            first[at] = first[first[at]]
            at = first[at]
        return at

    for link in links:
        low, high = sorted(map(root, link))
        first[high] = low
    return [root(at) for at in range(documents)]


def num_held_out_characters(total: int, fraction: float) -> int:
    """Count the characters at the end of a text of `total` that are held out for validation."""
    return total - int(total * (1 - fraction))
