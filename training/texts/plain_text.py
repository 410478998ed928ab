"""Reader of plain text, in whatever encoding.

Knows nothing of archives and of other formats.
"""

from typing import IO

from training.texts.file_reading import FileReading, Sources
from training.texts.text_encoding import decoded


def read(file: IO[bytes], reading: FileReading) -> Sources:
    """Read an open text file. Raises RefusedTextError where it is none, or of no one encoding."""
    encoding, pieces = decoded(file, reading.options.encoding)
    yield reading.source(pieces, encoding=encoding)
