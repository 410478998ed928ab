"""Reading of a corpus's files: each becomes its texts, and what is left out of it, with reasons.

    kind         by training.texts.kinds, from the first bytes and the name
    encoding     by training.texts.text_encoding

Knows nothing of folders, documents and training.
"""

from collections.abc import Iterator

from training.texts.kinds import kind_of
from training.texts.plain_text import read_plain_text
from training.texts.reading_options import ReadingOptions
from training.texts.source_text import LeftOut, RefusedTextError, SourceText
from training.texts.unpacking import opened


def read_sources(name: str, options: ReadingOptions) -> Iterator[SourceText | LeftOut]:
    """Read the texts of one file, compressed or not; `-` is standard input.

    The file is open until the next source is asked for. Raises OSError where a disk fails.
    """
    try:
        with opened(name) as file:
            yield read_plain_text(file, name, options)
    except RefusedTextError as error:
        yield LeftOut(origin=name, kind=kind_of(name), reason=str(error))
