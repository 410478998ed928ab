"""Report of a corpus's reading: files by kind and encoding, what was cut and left out, and sources.

Made while the files are read; `facts` of it are kept with the corpus. Knows nothing of how texts
are read and cleaned.
"""

from collections import Counter
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from model.count_in_words import counted
from training.cleaning.cuts import MEANING, Cuts, Kind
from training.texts.source_text import LeftOut, SourceText

MOST_SOURCES = 1000  # authors, titles, licences, and files left out that are named
STOP_SHARE = 0.5  # of the text cut, or of the files left out


class CutFacts(BaseModel):
    """Cuts of one kind: how many places and characters, and the first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    places: int
    characters: int
    example: str


class ReadingFacts(BaseModel):
    """Facts of a corpus's reading, as they are kept with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: dict[str, int] = Field(description="texts that were read, by kind and encoding")
    characters: int = Field(description="characters of the texts before anything was cut")
    cuts: tuple[CutFacts, ...] = Field(description="what was cut, by kind")
    dropped: dict[str, int] = Field(description="invisible characters that were dropped")
    separators: dict[str, int] = Field(
        description="what might part documents, in the beginning of each text"
    )
    partings: dict[str, int] = Field(description="what parts documents, by number of texts")
    notes: tuple[str, ...] = Field(description="what readers tell of how they read")
    titles_joined: int = Field(description="titles that stood apart from their poem")
    left_out: dict[str, str] = Field(description="files that gave no text, with the reasons")
    expected_left_out: int = Field(description="files of the system and pictures, left out, too")
    authors: dict[str, int] = Field(description="authors that files tell, and their documents")
    titles: tuple[str, ...] = Field(description="titles of books and files, as they tell them")
    licences: tuple[str, ...] = Field(description="rights, as the files word them")

    @property
    def cut_characters(self) -> int:
        """Characters that were cut, of all kinds."""
        return sum(cut.characters for cut in self.cuts)

    @property
    def cut_share(self) -> float:
        """Share of the characters that were cut."""
        return self.cut_characters / max(self.characters, 1)

    @property
    def why_stop(self) -> str | None:
        """Why half of the text would not be learned, if so, and what to do about it."""
        if self.cut_share > STOP_SHARE:
            most = max(self.cuts, key=lambda cut: cut.characters)
            return (
                f"{100 * self.cut_share:.0f} % of the text would be cut as no verse, most of it as "
                f"{MEANING[most.kind]} ({most.example!r}); --keep {most.kind} keeps that, "
                "--anyway goes on"
            )
        num_read, num_left_out = sum(self.files.values()), len(self.left_out)
        if num_left_out > STOP_SHARE * (num_read + num_left_out):
            origin, reason = next(iter(self.left_out.items()))
            number = counted(num_read + num_left_out, "file")
            gives = "gives" if num_left_out == 1 else "give"
            return (
                f"{num_left_out:,} of {number} {gives} no text, the first: "
                f"{origin}: {reason}; --anyway goes on with the others"
            )
        return None


@dataclass(slots=True)
class ReadingReport:
    """Report of a reading that goes on."""

    cuts: Cuts
    files: Counter[str] = field(default_factory=Counter)
    characters: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    separators: Counter[str] = field(default_factory=Counter)
    partings: Counter[str] = field(default_factory=Counter)
    titles_joined: int = 0
    notes: dict[str, None] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    expected_left_out: int = 0
    authors: Counter[str] = field(default_factory=Counter)
    titles: dict[str, None] = field(default_factory=dict)
    licences: dict[str, None] = field(default_factory=dict)

    def add_source(self, source: SourceText) -> None:
        """Count a text that has been read, and what its file tells of it."""
        self.files[f"{source.kind}, {source.encoding}" if source.encoding else source.kind] += 1
        self.dropped.update(source.dropped)
        if source.title is not None and not source.is_whole_document:
            _note(self.titles, source.title)
        for note in source.notes:
            _note(self.notes, note)
        if source.licence is not None:
            _note(self.licences, source.licence)

    def add_left_out(self, left_out: LeftOut) -> None:
        """Note a file that gives no text."""
        if left_out.is_expected:
            self.expected_left_out += 1
        else:
            self.left_out[left_out.origin] = left_out.reason

    def facts(self) -> ReadingFacts:
        """Facts of what has been read so far."""
        cuts = tuple(
            CutFacts(kind=kind, places=cut.places, characters=cut.characters, example=cut.example)
            for kind, cut in self.cuts.counts.items()
        )
        return ReadingFacts(
            files=dict(self.files.most_common()),
            characters=self.characters,
            cuts=cuts,
            dropped=dict(self.dropped.most_common()),
            separators=dict(self.separators.most_common()),
            partings=dict(self.partings.most_common()),
            notes=tuple(self.notes),
            titles_joined=self.titles_joined,
            left_out=self.left_out,
            expected_left_out=self.expected_left_out,
            authors=dict(self.authors.most_common(MOST_SOURCES)),
            titles=tuple(self.titles),
            licences=tuple(self.licences),
        )


def _note(notes: dict[str, None], text: str) -> None:
    if len(notes) < MOST_SOURCES:
        notes[" ".join(text.split())[:200]] = None
