"""Document of a corpus: a poem, or a piece of a text without documents, and who wrote it.

Knows nothing of files.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """Text of one document, and its author where a file tells."""

    text: str
    author: str | None = None
