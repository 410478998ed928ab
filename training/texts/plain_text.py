"""Reader of plain text, in whatever encoding.

Knows nothing of archives and of other formats.
"""

from collections import Counter
from typing import IO

from training.texts.invisible_characters import visible_lines
from training.texts.reading_options import ReadingOptions
from training.texts.source_text import SourceText
from training.texts.text_encoding import decoded


def read_plain_text(file: IO[bytes], origin: str, options: ReadingOptions) -> SourceText:
    """Read an open text file. Raises RefusedTextError where it is none, or of no one encoding."""
    encoding, pieces = decoded(file, options.encoding)
    dropped: Counter[str] = Counter()
    return SourceText(
        origin=origin,
        kind="text",
        pieces=visible_lines(pieces, dropped),
        encoding=encoding,
        dropped=dropped,
    )
