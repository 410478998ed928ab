"""Poems of our own for the corpus zoo, and archives of files."""

import io
import tarfile
import zipfile
from collections.abc import Sequence

Poem = tuple[str, str]  # title and verses

TIDE = """The tide goes out, the tide comes in,
and every shell is listening.

I\u2019ve heard the \u201cold\u201d sea \u2014 fine and low,
caf\u00e9 lights glistening."""
STONE = """A stone is slow. It does not know
    the word for snow.

It keeps the cold the way I keep
    a letter that I could not read."""
WIND = """The wind has nothing in its hands
and gives it all away < today >."""
CLOCK = """Three o\u2019clock, the clock is three,
no one but the clock and me.

Three."""
POEMS: list[Poem] = [
    ("Tide", TIDE),
    ("Stone", STONE),
    ("Wind & Sand", WIND),
    ("Three O'Clock", CLOCK),
]
DOCUMENTS = [f"{title}\n\n{verses}" for title, verses in POEMS]
TEXT = "\n\n\n".join(DOCUMENTS)


def stanzas(verses: str) -> list[list[str]]:
    return [stanza.split("\n") for stanza in verses.split("\n\n")]


def zipped(members: dict[str, str | bytes], *, stored: Sequence[str] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            kind = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            archive.writestr(name, content, kind)
    return out.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()
