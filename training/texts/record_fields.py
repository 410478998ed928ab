"""Fields of records: which of a table's columns is the text, which the title, author and licence.

Given by the options, or guessed where one is plausible; else refused with the names of the
columns. Knows nothing of file formats.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.texts.reading_options import ReadingOptions
from training.texts.source_text import About, RefusedTextError

Record = Mapping[str, object]
# By name, spaces and underscores aside, the surest first.
_TEXTS = (
    "lyrics",
    "lyric",
    "poem",
    "songlyrics",
    "plainlyrics",
    "lines",
    "verse",
    "verses",
    "text",
    "content",
    "body",
    "poemcontent",
    "poemtext",
)
_TITLES = (
    "title",
    "songtitle",
    "poemtitle",
    "songname",
    "poemname",
    "trackname",
    "tracktitle",
    "song",
    "track",
    "name",
)
_AUTHORS = (
    "author",
    "poet",
    "artist",
    "artistname",
    "artists",
    "singer",
    "writer",
    "poetname",
    "primaryartist",
    "lyricist",
    "band",
)
_LICENCES = ("licence", "license", "rights", "copyright")
LONG_TEXT = 80  # characters on average, from which a column may be the text whatever its name
SHOWN_COLUMNS = 12


@dataclass(frozen=True, slots=True)
class RecordFields:
    """Names of the fields of a record that are read."""

    text: str
    title: str | None
    author: str | None
    licence: str | None

    def note(self, options: ReadingOptions) -> str:
        """Say what is read of a record, and whether it was guessed."""
        guessed = "" if options.text_field is not None else ", as its name or its lengths tell"
        title = "without titles" if self.title is None else f"titles from {self.title!r}"
        return f"texts from the field {self.text!r}{guessed}, {title}"

    def text_in(self, record: Record) -> str:
        """Read the text of a record; lists are lines, lists in them stanzas; "" for none."""
        return _as_text(record.get(self.text))

    def about(self, record: Record) -> About:
        """Read what a record tells of itself."""
        title, author, licence = (
            _as_text(record.get(name)) or None if name is not None else None
            for name in (self.title, self.author, self.licence)
        )
        return About(title, author, licence)


def fields_of(
    columns: Sequence[str], rows: Sequence[Record], options: ReadingOptions
) -> RecordFields:
    """Find the fields of a table of these columns, from its first rows.

    Raises RefusedTextError where the text is not among them, or several may be.
    """
    named = (options.text_field, options.title_field)
    for flag, name in zip(("--text-field", "--title-field"), named, strict=True):
        if name is not None and name not in columns:
            raise RefusedTextError(f"{flag} {name!r} is none of its fields: {_shown(columns)}")
    text = options.text_field if options.text_field is not None else _guessed_text(columns, rows)
    others = [column for column in columns if column != text]
    title = options.title_field if options.title_field is not None else _by_name(others, _TITLES)
    return RecordFields(text, title, _by_name(others, _AUTHORS), _by_name(others, _LICENCES))


def has_text(record: Record, options: ReadingOptions) -> bool:
    """Check whether a record has a field that is given as the text, or named as one."""
    if options.text_field is not None:
        return options.text_field in record
    name = _by_name(list(record), _TEXTS)
    return name is not None and _as_text(record[name]) != ""


def _by_name(columns: Sequence[str], names: Sequence[str]) -> str | None:
    found = {re.sub(r"[\W_]+", "", column).lower(): column for column in reversed(columns)}
    return next((found[name] for name in names if name in found), None)


def _guessed_text(columns: Sequence[str], rows: Sequence[Record]) -> str:
    plausible = [column for column in columns if _is_long(column, rows)]
    named = _by_name(plausible, _TEXTS) if plausible else _by_name(columns, _TEXTS)
    if named is not None:
        return named
    if len(plausible) == 1:
        return plausible[0]
    if len(columns) == 1:
        return columns[0]
    which = (
        "none of its fields is surely the text"
        if not plausible
        else "several of its fields may be the text"
    )
    raise RefusedTextError(f"{which}; name one by --text-field: {_shown(plausible or columns)}")


def _is_long(column: str, rows: Sequence[Record]) -> bool:
    texts = [text for row in rows if (text := _as_text(row.get(column)))]
    return bool(texts) and (
        sum(map(len, texts)) >= LONG_TEXT * len(texts) or any("\n" in text for text in texts)
    )


def _shown(columns: Sequence[str]) -> str:
    more = f" and {len(columns) - SHOWN_COLUMNS:,} more" if len(columns) > SHOWN_COLUMNS else ""
    return ", ".join(repr(column[:60]) for column in columns[:SHOWN_COLUMNS]) + more


def _as_text(value: object) -> str:
    if isinstance(value, list):
        has_stanzas = any(isinstance(each, list) for each in value)
        lines = ("\n".join(map(_scalar, e)) if isinstance(e, list) else _scalar(e) for e in value)
        return ("\n\n" if has_stanzas else "\n").join(lines)
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, str):
        return _with_line_ends(value)
    if isinstance(value, bytes):  # text of older tables; what is not UTF-8 is something else
        try:
            return _with_line_ends(value.decode())
        except UnicodeDecodeError:
            return ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _with_line_ends(text: str) -> str:
    """Make line ends of those that are written out as backslash and n, in a text without others."""
    if "\n" not in text and text.count("\\n") > 1:
        return text.replace("\\r", "").replace("\\n", "\n")
    return text
