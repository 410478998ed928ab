"""Inspection of a corpus: its files read and cleaned as training does, and what the texts are like.

Nothing is split, tokenized or kept. Knows nothing of how it is shown.
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from training.data.corpus import require_texts
from training.data.corpus_options import CorpusOptions
from training.data.document_store import DocumentStore
from training.data.reading_report import ReadingFacts
from training.data.sources import expand, outward_links
from training.inspection.language_guess import SAMPLE, guessed_language

RAREST, POEMS, POEM_CHARACTERS = 20, 3, 2000
QUANTILES = (5, 25, 50, 75, 95)


class DocumentFacts(BaseModel):
    """Facts of one document: its first line, its length, where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    characters: int
    lines: int
    file: str


class Inspection(BaseModel):
    """Facts that an inspection found in a corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: int = Field(description="files that the names stand for")
    outward_links: tuple[str, ...] = Field(description="symbolic links that are not followed")
    reading: ReadingFacts
    duplicates: int = Field(description="documents left out, seen before")
    reprints: int = Field(description="documents left out, most of whose lines another one has")
    documents: int
    characters: int
    different_characters: int
    rarest_characters: dict[str, int] = Field(description="the rarest, and how often each is there")
    line_characters: dict[str, float] = Field(description="mean and quantiles in percent")
    longest: DocumentFacts
    shortest: DocumentFacts
    language: str | None = Field(description="a guess; none: nothing shows it")
    poems: tuple[str, ...] = Field(description="as they will be learned, long ones cut")


def inspect(names: Sequence[str], options: CorpusOptions) -> Inspection:
    """Inspect the texts of some files. Raises CorpusError for what cannot be read at all."""
    require_texts(names)
    files = expand(names)
    with tempfile.TemporaryFile("w+b") as file:
        store = DocumentStore(file, options, names)
        store.gather(files)
        counts = list(store.counts.by_frequency())
        looked_at = _LookedAt(store)
        return Inspection(
            files=len(files),
            outward_links=tuple(outward_links(names)),
            reading=store.reading,
            duplicates=store.num_duplicates,
            reprints=store.num_reprints,
            documents=store.num_documents,
            characters=store.num_characters,
            different_characters=len(counts),
            rarest_characters=dict(counts[-RAREST:][::-1]),
            line_characters=looked_at.line_characters,
            longest=looked_at.longest,
            shortest=looked_at.shortest,
            language=guessed_language(looked_at.sample),
            poems=tuple(looked_at.poems),
        )


class _LookedAt:
    """Lengths, extremes, a sample and poems: what one pass over a store's documents shows."""

    def __init__(self, store: DocumentStore) -> None:
        shown = {store.num_documents * (2 * at + 1) // (2 * POEMS) for at in range(POEMS)}
        self.sample = ""
        self.poems: list[str] = []
        lengths: Counter[int] = Counter()
        found: list[DocumentFacts] = []
        for number, (facts, beginning) in enumerate(_documents(store, lengths)):
            if len(self.sample) < SAMPLE:
                self.sample += beginning + "\n"
            if number in shown:
                self.poems.append(_shortened(beginning, facts.characters))
            found = _extremes([*found, facts])
        self.shortest, self.longest = found[0], found[-1]
        self.line_characters = _quantiles(lengths)


def _documents(store: DocumentStore, lengths: Counter[int]) -> Iterator[tuple[DocumentFacts, str]]:
    """Facts of each document, with its beginning; the lengths of its lines are counted."""
    beginning, characters, lines, file = "", 0, 0, ""
    for stored in store.stored_texts("train"):
        if stored.opens_document:
            if characters > 0:
                yield _facts(beginning, characters, lines, file), beginning
            beginning, characters, lines, file = "", 0, 0, stored.file
        visible = list(filter(None, map(len, stored.text.split("\n"))))
        lengths.update(visible)
        beginning += stored.text[: max(0, POEM_CHARACTERS + 1 - len(beginning))]
        characters, lines = characters + len(stored.text), lines + len(visible)
    yield _facts(beginning, characters, lines, file), beginning


def _facts(beginning: str, characters: int, lines: int, file: str) -> DocumentFacts:
    title = beginning.strip().partition("\n")[0][:100]
    return DocumentFacts(title=title, characters=characters, lines=lines, file=file)


def _extremes(facts: list[DocumentFacts]) -> list[DocumentFacts]:
    """Keep the shortest and the longest of some documents; the earlier of two alike."""
    return [
        min(facts, key=lambda document: document.characters),
        max(facts, key=lambda document: document.characters),
    ]


def _shortened(beginning: str, characters: int) -> str:
    text = beginning[:POEM_CHARACTERS]
    return text if characters <= POEM_CHARACTERS else f"{text.rpartition(chr(10))[0] or text}\n..."


def _quantiles(lengths: Counter[int]) -> dict[str, float]:
    sizes = np.array(sorted(lengths))
    counts = np.array([lengths[size] for size in sizes.tolist()])
    below = np.cumsum(counts) / counts.sum()
    mean = float((sizes * counts).sum() / counts.sum())
    places = {f"p{share}": sizes[int(np.searchsorted(below, share / 100))] for share in QUANTILES}
    return {"mean": round(mean, 1), **{name: float(size) for name, size in places.items()}}
