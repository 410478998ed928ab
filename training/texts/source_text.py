"""Source text: what one file, or one record or member in it, holds, with what the file tells of it.

This is what every reader gives, and all that the rest of training knows of formats and encodings:

    for source in read_sources("drafts.zip", options):   # training.texts.readers
        if isinstance(source, LeftOut):
            print(source.origin, source.reason)
        else:
            for piece in source.pieces:
                ...

Knows nothing of documents, of what is verse, and of training.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from model.errors import ModelError


@dataclass(frozen=True, slots=True)
class About:
    """Title, author and licence, as a file or a record tells them of itself."""

    title: str | None = None
    author: str | None = None
    licence: str | None = None  # the rights, as the file words them


@dataclass(slots=True, kw_only=True)
class SourceText:
    """Text of one file, or of one record or member in it, read in pieces.

    `pieces` can be read once, and before the next source is asked for. Each is of whole lines,
    but for a line of about a million characters or more; together they are the text: line ends are
    LF, no invisible character is in it but joiners that a script needs, and a form feed stands
    on a line of its own. It is not yet in NFC.
    """

    origin: str  # file, then the way inside: "drafts.zip/old/sea.docx", "songs.csv, record 7"
    kind: str  # of KINDS in training.texts.kinds: "text", "docx", "csv", ...
    pieces: Iterator[str]
    encoding: str | None = None  # "utf-8", "windows-1252"; none: the format says it
    title: str | None = None  # of a whole document it is not in the text; else of file or book
    author: str | None = None
    licence: str | None = None  # the rights, as the file words them
    is_whole_document: bool = False  # one poem for sure: a row of a table, a record
    notes: tuple[str, ...] = ()  # what of the way it was read is worth telling, once a file
    dropped: Counter[str] = field(default_factory=Counter)  # what was dropped and how often, in
    # words ("soft hyphens"); complete when the pieces have been read

    @property
    def text(self) -> str:
        """Text in one piece; reads the pieces."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """File, member or record that gives no text, with the reason in one line."""

    origin: str
    kind: str
    reason: str
    is_expected: bool = False  # what systems leave behind, pictures: counted, never an error


class RefusedTextError(ModelError):
    """File that a reader gives no text of; becomes a LeftOut with this reason."""
