"""Report of a corpus: documents, characters and unknown ones, and the first text that is learned.

What a run is about to learn from, before it takes hours: a wrong separator, a wrong alphabet and
a wrong file show here. Knows nothing of networks and terminals.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from model.count_in_words import counted
from model.tokenizer import BOS_ID
from training.data.corpus import Corpus
from training.data.corpus_manifest import PartFacts
from training.data.reading_lines import parting_in_words, reading_lines
from training.data.separator_hints import separator_hints
from training.data.sources import outward_links
from training.data.unknown_characters import WARNED_SHARE, share_in_words, unknown_in_words

FEW_DOCUMENTS = 20  # fewer, in documents, are worth a word
SHOWN_CHARACTERS = 160
LOOKED_AT = 100_000  # tokens that hints are looked for in


def corpus_lines(names: Sequence[str], corpus: Corpus) -> Iterator[str]:
    """Describe a corpus, read from the texts of these names: a line a fact, warnings among them."""
    facts = corpus.manifest
    yield from outward_link_lines(names)
    if facts.reading is not None:
        yield from reading_lines(facts.reading)
    has_documents = facts.options.split == "documents"
    if has_documents:
        reprints = facts.reprinted_documents
        left_out = f"{counted(facts.duplicate_documents, 'duplicate')} left out"
        left_out += f", {counted(reprints, 'reprint')}, too" if reprints else ""
        left_out += parting_in_words(facts.reading) if facts.reading is not None else ""
        yield f"documents: {_parts('documents', facts.train, facts.valid)}, {left_out}"
    vocabulary = f"a vocabulary of {facts.vocabulary:,}"
    yield f"characters: {_parts('characters', facts.train, facts.valid)}, {vocabulary}"
    yield from _unknown(corpus)
    if has_documents and facts.train.documents + facts.valid.documents < FEW_DOCUMENTS:
        yield _why_few(corpus)
    yield f"first document, as it will be learned: {first_document(corpus)}"


def outward_link_lines(names: Sequence[str]) -> Iterator[str]:
    """Say how many links out of the named folders were not followed, if any."""
    if links := outward_links(names):
        one = len(links) == 1
        lead = "1 symbolic link leads" if one else f"{len(links):,} symbolic links lead"
        which = f"is not followed: {links[0]}" if one else f"are not followed: {links[0]}, ..."
        yield f"{lead} out of the corpus folder and {which}"


def _parts(field: str, train: PartFacts, valid: PartFacts) -> str:
    return f"{getattr(train, field):,} to train on, {getattr(valid, field):,} to validate"


def _unknown(corpus: Corpus) -> Iterator[str]:
    facts = corpus.manifest
    characters = facts.train.characters + facts.valid.characters
    unknown = facts.train.unknown_tokens + facts.valid.unknown_tokens
    share = f"{100 * unknown / max(characters, 1):.3g} %" if unknown else "none"
    which = (
        f", the commonest {words}" if (words := unknown_in_words(facts.unknown_characters)) else ""
    )
    yield f"unknown characters: {share}{which}"
    for part, place in ((facts.train, "to train on"), (facts.valid, "to validate on")):
        if part.unknown_share > WARNED_SHARE:
            what = share_in_words(part.unknown_share, facts.unknown_characters, place)
            yield f"warning: {what}; each is learned as <unk>"


def _why_few(corpus: Corpus) -> str:
    """Say what parts documents, and what in the text may be meant to."""
    facts, beginning = corpus.manifest, corpus.train[:LOOKED_AT]
    separator = facts.options.document_separator
    hints = separator_hints(corpus.tokenizer.decode(beginning.tolist()), separator)
    hints.append("for one long text use --split contiguous")
    documents = facts.train.documents + facts.valid.documents
    found = f"{counted(documents, 'document')} {'was' if documents == 1 else 'were'} found"
    parted = "" if separator is None else f", parted by {separator!r}"
    return f"only {found}{parted}; {'; '.join(hints)}"


def first_document(corpus: Corpus) -> str:
    """Show the beginning of what is learned first, from its ids, in one line and in quotes."""
    ids = np.asarray(corpus.train[: SHOWN_CHARACTERS + 2])
    start = 1 if len(ids) and ids[0] == BOS_ID else 0
    ends = start + np.flatnonzero(ids[start:] == BOS_ID)
    end = int(ends[0]) if len(ends) else len(ids)
    text = corpus.tokenizer.decode(ids[start:end].tolist())
    is_whole = len(ends) > 0 and len(text) <= SHOWN_CHARACTERS
    return f"{text[:SHOWN_CHARACTERS]!r}{'' if is_whole else '...'}"
