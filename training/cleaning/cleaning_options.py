"""Options of cleaning: which kinds of noise are kept, and what becomes of section labels.

Each is a flag of the commands that read texts. Knows nothing of files.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from training.cleaning.cuts import KINDS, Kind
from training.cleaning.section_labels import Labels

Keepable = Literal[Kind, "reprints", "all"]
_NAMES = ", ".join((*KINDS, "reprints", "all"))


class CleaningOptions(BaseModel):
    """Options of cleaning: what is kept although it is no verse."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: tuple[Keepable, ...] = Field(
        (), description=f"what to keep of what is cut otherwise: {_NAMES}"
    )
    labels: Labels = Field(
        "keep", description="section labels of songs: keep writes [Chorus: X] as [Chorus]; drop"
    )

    @property
    def kept_kinds(self) -> frozenset[Kind]:
        """Kinds of noise that are not cut."""
        return frozenset(kind for kind in KINDS if kind in self.keep or "all" in self.keep)

    @property
    def keeps_reprints(self) -> bool:
        """True where documents that share most of their lines are all kept."""
        return "reprints" in self.keep or "all" in self.keep
