"""Manifest of a prepared corpus: where its text came from, and what became of it.

Content of manifest.json. Knows nothing of how a corpus is prepared.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training.data.corpus_options import CorpusOptions
from training.data.reading_report import ReadingFacts

FORMAT = 1


class Source(BaseModel):
    """Source file of a corpus, with its hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    sha256: str | None = Field(description="of the file as it lay on disk; none for stdin")


class PartFacts(BaseModel):
    """Counts of documents, characters and tokens in one part, train or valid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    documents: int
    characters: int
    tokens: int
    unknown_tokens: int

    @property
    def unknown_share(self) -> float:
        """Share of the characters that the vocabulary does not have."""
        return self.unknown_tokens / max(self.characters, 1)


class Manifest(BaseModel):
    """Content of a corpus's manifest.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    options: CorpusOptions
    sources: tuple[Source, ...]
    text_sha256: str = Field(description="of the normalised text, duplicates left out")
    vocabulary: int = Field(description="number of token ids")
    duplicate_documents: int = Field(description="documents left out, seen before in this corpus")
    reprinted_documents: int = Field(
        0, description="documents left out, most of whose lines another one has"
    )
    reading: ReadingFacts | None = Field(
        None, description="files, what was cut and left out; none: prepared before that was noted"
    )
    unknown_characters: dict[str, int] = Field(
        {}, description="the commonest that the vocabulary does not have, and their counts"
    )
    words: int | None = Field(None, description="words in the list; none: there is no list")
    train: PartFacts
    valid: PartFacts

    @model_validator(mode="before")
    @classmethod
    def _uncleaned(cls, fields: Any) -> Any:
        """Options of a corpus prepared before texts were cleaned: all was kept."""
        if isinstance(fields, dict) and isinstance(options := fields.get("options"), dict):
            return {**fields, "options": {"keep": ("all",), **options}}
        return fields
