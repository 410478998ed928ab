"""Reader of documents: the texts of corpus files, normalised (NFC) and parted into documents.

What a file holds is read in training.texts. The end of a file always ends a document. Where line
ends part documents, blank lines are emptied first.
Knows nothing of formats and encodings, nor of vocabularies, ids and splits.
"""

import unicodedata
from collections.abc import Iterable, Iterator

from model.prompt_normalization import composed
from training.data.blank_lines import emptied_blank_lines, is_blank
from training.data.corpus_options import CorpusOptions
from training.texts.readers import read_sources
from training.texts.source_text import LeftOut, SourceText
from training.training_errors import CorpusError

LETTERS_THAT_COMBINE = "\U00016d67"  # Kirat Rai's sign e, from Unicode 16 (Python 3.14) on


def read_texts(name: str, options: CorpusOptions) -> Iterator[str]:
    """Read the documents of one file, or the pieces of its text where it has no documents.

    Raises CorpusError for a file that gives no text.
    """
    return (
        read_documents(name, options)
        if options.split == "documents"
        else read_segments(name, options)
    )


def read_documents(name: str, options: CorpusOptions) -> Iterator[str]:
    """Read the documents of one file, without the line ends around them, blank ones left out."""
    for source in read_sources(name, options):
        if isinstance(source, SourceText) and source.is_whole_document:
            title = [source.title] if source.title is not None else []
            yield from _clean("\n\n".join([*title, source.text.strip("\n")]))
        else:
            yield from _documents(_text_of(source), options.document_separator)


def _documents(texts: Iterable[str], separator: str) -> Iterator[str]:
    # Of a document whose end is not seen yet only the tail, which may hold half a separator, is
    # searched again: a long one must not take time that grows with its square.
    held: list[str] = []
    tail = ""
    for text in texts if separator.strip("\n") else emptied_blank_lines(texts):
        first, *others = (tail + text).split(separator)
        held.append(first)
        for other in others:
            document, held = "".join(held), [other]
            yield from _clean(document)
        last = held.pop()
        cut = max(0, len(last) - len(separator) + 1)
        held.append(last[:cut])
        tail = last[cut:]
    yield from _clean("".join([*held, tail]))


def _clean(document: str) -> Iterator[str]:
    document = composed(document.strip("\n"))
    if not is_blank(document):
        yield document


def read_segments(name: str, options: CorpusOptions) -> Iterator[str]:
    """Read the text of one file as it is, in pieces of about a million characters.

    They are cut at line ends; in a line that is longer, where normalising joins nothing.
    """
    for source in read_sources(name, options):
        yield from _segments(_text_of(source))


def _segments(texts: Iterable[str]) -> Iterator[str]:
    rest = ""
    for text in texts:
        whole = rest + text
        cut = _last_nfc_cut(whole)
        if cut > 0:
            yield composed(whole[:cut])
        rest = whole[cut:]
    if rest:
        yield composed(rest)


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


def _text_of(source: SourceText | LeftOut) -> Iterator[str]:
    """Read the pieces of a source. Raises CorpusError for what gives no text and should."""
    if isinstance(source, SourceText):
        yield from source.pieces
    elif not source.is_expected:
        raise CorpusError(f"{source.origin}: {source.reason}")
