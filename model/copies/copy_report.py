"""Copy report of a text: its copied runs, and whether they are long enough to matter.

Says nothing of copies that are not verbatim. Knows nothing of how runs are found.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from model.copies.copy_index import CopiedRun, CopyIndex
from model.validation import validated_fields

Verdict = Literal["clear", "flagged", "rejected"]


class CopyLimits(BaseModel):
    """Limits of copied runs: how long one may be. 0 switches a limit off."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    flag_characters: int = Field(30, ge=0, description="flag runs of so many characters; 0: never")
    reject_characters: int = Field(
        40, ge=0, description="reject a text with a run of so many characters; 0: never"
    )
    reject_words: int = Field(
        8, ge=0, description="reject a text with a run of so many whole words; 0: never"
    )

    @classmethod
    def checked(cls, fields: Mapping[str, object]) -> Self:
        """Validate limits. Raises ParameterError, which names the field."""
        return validated_fields(cls, fields)

    def rejects(self, run: CopiedRun) -> bool:
        """Copied run that is so long that its text is to be rejected, or not."""
        return _reaches(run.characters, self.reject_characters) or _reaches(
            run.words, self.reject_words
        )

    def flags(self, run: CopiedRun) -> bool:
        """Copied run that is long enough to be named in the report, or not."""
        return self.rejects(run) or _reaches(run.characters, self.flag_characters)


def _reaches(number: int, limit: int) -> bool:
    return 0 < limit <= number


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyReport:
    """Report of a text: the verdict, its longest copied run, and all that were flagged.

    The longest is told however short it is; None where not even a few words in a row are copied.
    """

    verdict: Verdict
    longest: CopiedRun | None
    flagged: tuple[CopiedRun, ...]


def copy_report(index: CopyIndex, text: str, limits: CopyLimits | None = None) -> CopyReport:
    """Report what of `text` stands in the training text, the longest run first."""
    limits = limits if limits is not None else CopyLimits()
    runs = index.runs(text)
    flagged = tuple(run for run in runs if limits.flags(run))
    verdict: Verdict = "flagged" if flagged else "clear"
    if any(limits.rejects(run) for run in flagged):
        verdict = "rejected"
    return CopyReport(verdict=verdict, longest=runs[0] if runs else None, flagged=flagged)
