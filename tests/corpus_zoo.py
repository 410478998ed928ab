"""Corpus files of our own verse in every format, clean and noisy.

`FORMATS` makes the same poems in each: from a list of poems to the bytes of a file.
"""

import bz2
import gzip
import lzma
from collections.abc import Callable

import zoo_documents as documents
import zoo_pages as pages
import zoo_tables as tables
import zstandard_frames
from zoo_poems import Poem, tarred, zipped


def text_file(poems: list[Poem]) -> bytes:
    return "\n\n\n".join(f"{title}\n\n{verses}" for title, verses in poems).encode()


def noisy_text(poems: list[Poem]) -> bytes:
    """A byte order mark, CRLF, soft hyphens, zero-width spaces and a NUL; UTF-8."""
    noisy = (
        text_file(poems).decode().replace("tide", "ti\u00adde\u200b").replace("snow", "sn\x00ow")
    )
    return ("\ufeff" + noisy.replace("\n", "\r\n")).encode()


def utf16_text(poems: list[Poem]) -> bytes:
    return text_file(poems).decode().replace("\n", "\r\n").encode("utf-16-le")


def windows_text(poems: list[Poem]) -> bytes:
    return text_file(poems).decode().replace("\n", "\r\n").encode("cp1252")


Maker = Callable[[list[Poem]], bytes]
FORMATS: dict[str, Maker] = {
    "poems.txt": text_file,
    "noisy.txt": noisy_text,
    "utf-16.txt": utf16_text,
    "of-1998.txt": windows_text,
    "poems.txt.gz": lambda poems: gzip.compress(text_file(poems)),
    "poems.txt.xz": lambda poems: lzma.compress(text_file(poems)),
    "poems.txt.bz2": lambda poems: bz2.compress(text_file(poems)),
    "poems.txt.zst": lambda poems: zstandard_frames.compress(text_file(poems)),
    "poems.docx": documents.docx,
    "lines.docx": documents.docx_of_lines,
    "noisy.docx": documents.noisy_docx,
    "poems.odt": documents.odt,
    "noisy.odt": documents.noisy_odt,
    "poems.rtf": documents.rtf,
    "noisy.rtf": documents.noisy_rtf,
    "poems.html": pages.html,
    "noisy.htm": pages.noisy_html,
    "poems.epub": pages.epub,
    "noisy.epub": pages.noisy_epub,
    "poems.md": pages.markdown,
    "noisy.markdown": pages.noisy_markdown,
    "poems.csv": tables.table,
    "noisy.csv": tables.noisy_csv,
    "poems.tsv": lambda poems: tables.table(poems, "\t"),
    "poems.json": tables.as_json,
    "noisy.json": tables.noisy_json,
    "poems.jsonl": tables.jsonl,
    "noisy.jsonl": tables.noisy_jsonl,
    "poems.parquet": tables.parquet,
    "poems.pdf": pages.pdf,
    "spaced.pdf": lambda poems: pages.pdf(poems, 20),
    "poems.zip": lambda poems: zipped(
        {f"drafts/{at}.docx": documents.docx([poem]) for at, poem in enumerate(poems)}
    ),
    "noisy.zip": lambda poems: zipped(
        {
            "__MACOSX/._poems.txt": b"\x00\x05\x16\x07",
            "drafts/Thumbs.db": b"\xd0\xcf\x11\xe0",
            "drafts/sea.jpg": b"\xff\xd8\xff\xe0",
            "drafts/empty.txt": b"",
            "drafts/": b"",
            "drafts/poems.tar": tarred({"a/poems.txt.gz": gzip.compress(text_file(poems))}),
        }
    ),
    "poems.tar": lambda poems: tarred({"poems.txt": text_file(poems)}),
    "poems.tar.gz": lambda poems: gzip.compress(tarred({"poems.epub": pages.epub(poems)})),
    "poems.tgz": lambda poems: gzip.compress(tarred({"poems.txt": windows_text(poems)})),
    "poems.tar.xz": lambda poems: lzma.compress(tarred({"poems.html": pages.html(poems)})),
    "poems.tar.bz2": lambda poems: bz2.compress(tarred({"poems.md": pages.markdown(poems)})),
}
