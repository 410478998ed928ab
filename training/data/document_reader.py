"""Reader of documents: the texts of corpus files cleaned, parted and normalised (NFC).

What a file holds is read in training.texts, what is no verse is cut by training.cleaning, and where
documents end is decided in training.data.document_parting. The end of a file always ends one.
Knows nothing of formats and encodings, nor of vocabularies, ids and splits.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain

from model.prompt_normalization import composed
from training.cleaning.cleaner import Cleaner
from training.cleaning.gutenberg import GutenbergCutter
from training.data.blank_lines import emptied_blank_lines, is_blank
from training.data.corpus_document import Document
from training.data.corpus_options import CorpusOptions
from training.data.document_parting import (
    FORM_FEED,
    SHOWN,
    Parting,
    candidates,
    named_parting,
    parted,
    shown_parting,
)
from training.data.poem_titles import joined_titles, with_title
from training.data.reading_report import ReadingReport
from training.data.sources import expand, unreadable
from training.texts.readers import read_sources
from training.texts.source_text import LeftOut, SourceText
from training.training_errors import CorpusError

LETTERS_THAT_COMBINE = "\U00016d67"  # Kirat Rai's sign e, from Unicode 16 (Python 3.14) on


class CorpusReader:
    """Reader of a corpus's files, with a report of all that it has read.

    Of files that are `required` one that gives no text is an error; of others it is reported.
    """

    def __init__(self, options: CorpusOptions, required: Collection[str] = ()) -> None:
        self._options = options
        self._required = frozenset(required)
        self._cleaner = Cleaner(options.kept_kinds, options.labels)
        self.report = ReadingReport(self._cleaner.cuts)

    def read(self, name: str) -> Iterator[Document]:
        """Read the documents of one file, or the pieces of its text where it has no documents.

        Documents are without the line ends around them, and blank ones left out. Raises
        CorpusError.
        """
        read = self._documents if self._options.split == "documents" else self._segments
        reasons = []
        is_read = False
        try:
            for source in read_sources(name, self._options):
                if isinstance(source, LeftOut):
                    self.report.add_left_out(source)
                    reasons.append(f"{source.origin}: {source.reason}")
                else:
                    is_read = True
                    yield from read(source)
                    self.report.add_source(source)
        except OSError as error:
            raise unreadable(name, error) from error
        if name in self._required and not is_read and reasons:
            raise CorpusError(reasons[0])

    def _documents(self, source: SourceText) -> Iterator[Document]:
        facts = {"author": source.author} if source.author is not None else {}
        if source.is_whole_document:
            yield from self._cleaned(["".join(self._counted(source.pieces))], facts, source.title)
            return
        separator = self._options.document_separator
        pieces = self._without_licence(source, facts)
        if separator is None or not separator.strip("\n"):
            pieces = emptied_blank_lines(pieces)
        beginning, pieces = _beginning(pieces)
        found = candidates(beginning)
        self.report.separators.update(found)
        parting = (
            named_parting(separator) if separator is not None else shown_parting(beginning, found)
        )
        self.report.partings[parting.name] += 1
        texts = parted(_without_form_feeds(pieces, parting), parting)
        documents = self._cleaned(texts, facts)
        yield from documents if separator is not None else self._with_titles(documents)
        if source.title is None:
            source.title = facts.get("title")

    def _without_licence(self, source: SourceText, facts: dict[str, str]) -> Iterator[str]:
        pieces = self._counted(source.pieces)
        if "gutenberg" in self._options.kept_kinds:
            return pieces
        return GutenbergCutter(self._cleaner.cuts, facts).cut(pieces)

    def _counted(self, pieces: Iterable[str]) -> Iterator[str]:
        for piece in pieces:
            self.report.characters += len(piece)
            yield piece

    def _cleaned(
        self, texts: Iterable[str], facts: dict[str, str], title: str | None = None
    ) -> Iterator[Document]:
        """Clean documents, and leave those out of which nothing visible is left."""
        for text in texts:
            cleaned, told = self._cleaner.clean(composed(text.strip("\n")))
            if is_blank(cleaned):
                continue
            author = told.get("author", facts.get("author"))
            if author is not None:
                self.report.authors[author] += 1
            yield Document(with_title(told.get("title", title), cleaned.strip("\n")), author)

    def _with_titles(self, documents: Iterable[Document]) -> Iterator[Document]:
        for document, joined in joined_titles(documents):
            self.report.titles_joined += joined
            yield document

    def _segments(self, source: SourceText) -> Iterator[Document]:
        """Read the text of one source as it is, in pieces of about a million characters.

        They are cut at line ends; in a line that is longer, where normalising joins nothing.
        """
        rest = ""
        facts: dict[str, str] = {}
        for piece in self._without_licence(source, facts):
            whole = rest + piece.replace("\f\n", "").replace("\f", "")
            cut = _last_nfc_cut(whole)
            if cut > 0:
                yield Document(composed(whole[:cut]), source.author)
            rest = whole[cut:]
        if rest:
            yield Document(composed(rest), source.author)


def read_texts(names: Sequence[str], options: CorpusOptions) -> Iterator[str]:
    """Read the documents that names stand for, or the pieces of their text without documents.

    Raises CorpusError for a named file that gives no text.
    """
    reader = CorpusReader(options, names)
    for file in expand(names):
        for document in reader.read(file):
            yield document.text


def _beginning(pieces: Iterator[str]) -> tuple[str, Iterator[str]]:
    """Read the first SHOWN characters; second, all the pieces."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= SHOWN:
            break
    return "".join(held), chain(held, pieces)


def _without_form_feeds(pieces: Iterable[str], parting: Parting) -> Iterator[str]:
    """Leave out form feeds that part no documents, and no gap but what the page shows beside it."""
    is_parted_by_them = parting.pattern.search("\n\f\n") is not None
    for piece in pieces:
        if "\f" in piece and not is_parted_by_them:
            yield FORM_FEED.sub(_gap_of_page, piece)
        else:
            yield piece


def _gap_of_page(page_end: re.Match[str]) -> str:
    above, *_, below = page_end.group().split("\f")
    if page_end.start() == 0:  # the line end above it is in the piece before
        return below[1:]
    return max(above, below, key=len)


def _last_nfc_cut(text: str) -> int:
    """Find where NFC may cut text: after its last line end, else where it joins nothing."""
    after_newline = text.rfind("\n") + 1
    if after_newline > 0:
        return after_newline
    places = range(len(text) - 1, 0, -1)
    return next((at for at in places if not may_combine(text[at])), 0)


def may_combine(char: str) -> bool:
    """Check whether NFC may join `char` to what stands before it: marks, and jamo of a syllable."""
    is_mark = unicodedata.category(char).startswith("M") or char in LETTERS_THAT_COMBINE
    return is_mark or "\u1160" <= char <= "\u11ff"
