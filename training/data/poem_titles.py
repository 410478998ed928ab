"""Titles of poems: told by files, or standing apart from the poem, they become its first line.

A title and a blank line open a poem, as in the texts that the model that ships has learned from.
Knows nothing of files.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from training.cleaning.blocks import is_heading
from training.data.corpus_document import Document

MOST_JOINED = 2  # headings in a row: more are a list
_BY_AUTHOR = re.compile(r"^[\W_]*BY\b", re.MULTILINE)  # of a title page
_WORD = re.compile(r"[^\W\d_]{4,}")


def with_title(title: str | None, text: str) -> str:
    """Put a title before a poem, unless the poem begins with it."""
    if title is None or not (title := " ".join(title.split())):
        return text
    first = text.lstrip("\n").partition("\n")[0]
    return text if _letters(first) == _letters(title) else f"{title}\n\n{text}"


def _letters(line: str) -> str:
    return "".join(filter(str.isalnum, line.casefold()))


def joined_titles(documents: Iterable[Document]) -> Iterator[tuple[Document, int]]:
    """Join documents that are only a title to the next one; each with how many titles it got.

    What titles a book stays apart: before all poems, where the first has a title of its own.
    """
    waiting: list[Document] = []
    is_beginning = True
    for document in documents:
        if is_title(document.text) and _BY_AUTHOR.search(document.text) is not None:
            yield from ((title, 0) for title in (*waiting, document))
            waiting = []
            continue
        if is_title(document.text) and len(waiting) <= MOST_JOINED:
            waiting.append(document)
            continue
        if is_beginning and 0 < len(waiting) <= MOST_JOINED:
            has_own = is_title(document.text.partition("\n\n")[0])
            of_book = len(waiting) if has_own else len(waiting) - 1
            yield from ((title, 0) for title in waiting[:of_book])
            waiting = waiting[of_book:]
        is_beginning = False
        if waiting and len(waiting) <= MOST_JOINED and document.text.count("\n") >= 2:
            text = "\n\n".join([*(title.text for title in waiting), document.text])
            yield replace(document, text=text), len(waiting)
        else:
            yield from ((title, 0) for title in waiting)
            yield document, 0
        waiting = []
    yield from ((title, 0) for title in waiting)


def is_title(document: str) -> bool:
    """Check whether a document is a title alone: capitals, a numeral, or Words Like These."""
    if len(document) > 120 or document.count("\n") > 2:
        return False
    return is_heading(document) or all(map(_is_title_line, filter(None, document.split("\n"))))


def _is_title_line(line: str) -> bool:
    line = line.strip()
    words = _WORD.findall(line)
    capital = sum(word[0].isupper() for word in words)
    return (
        bool(words) and line[-1] not in ",;:!?.…-" and line[:1].isupper() and capital == len(words)
    )
