"""Report on a poem: for each line and each thing asked of it what was wanted and what was found.

What the form asks for decides whether the poem keeps it; what is only worth knowing (`is_asked`
false) does not. Nothing that rests on an unknown word is ever right. A composer adds what only it
knows: how fluent the lines are, what was relaxed, how many lines were tried, and the seed.
"""

from dataclasses import asdict, dataclass
from typing import Literal

from model.copies.copy_report import CopyReport

# What a check rests on: readings of some source, nothing known, or the text's letters alone.
Basis = Literal["dictionary", "rule", "guess", "unknown", "text"]
CheckKind = Literal[
    "lines",
    "stanzas",
    "syllables",
    "metre",
    "strict metre",
    "rhyme",
    "distinct rhyme",
    "start",
    "end",
    "tail",
    "acrostic",
    "text",
    "refrain",
    "characters",
    "words",
    "close",
]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing wanted of a line or poem, what was found, and what that rests on."""

    kind: CheckKind
    wanted: str
    found: str
    ok: bool
    source: Basis
    is_asked: bool = True


@dataclass(frozen=True, slots=True)
class LineReport:
    """One line: its checks and scansion; fluency and forcedness where a composer measured them."""

    number: int
    text: str
    checks: tuple[Check, ...]
    rhyme: str | None = None
    syllables: tuple[int, ...] = ()
    "Numbers of syllables that the line may have, the likeliest first."
    marks: tuple[str, ...] = ()
    "Marks of each word: / stressed, \\ half stressed, x weak, ? not known."
    fluency: float | None = None
    "Mean nats a character by the model, less being likelier."
    forcedness: float | None = None
    "Nats of the last word and the line's end: what it cost to end so."

    @property
    def ok(self) -> bool:
        """Check whether the line is all that the form asks for."""
        return all(check.ok for check in self.checks if check.is_asked)


@dataclass(frozen=True, slots=True)
class Report:
    """Whole poem: checks of its lines, those of the poem, and how it was composed, if it was."""

    form: str | None
    checks: tuple[Check, ...]
    lines: tuple[LineReport, ...]
    fluency: float | None = None
    free_fluency: float | None = None
    "Mean nats a character of free sampling by the same model, to compare with."
    relaxed: tuple[str, ...] = ()
    tried: int | None = None
    seed: int | None = None
    copied: CopyReport | None = None
    "What of the poem stands in the model's training text; None where it has no index of it."

    @property
    def ok(self) -> bool:
        """Check whether the poem keeps its form."""
        asked = [check.ok for check in self.checks if check.is_asked]
        return all(asked) and all(line.ok for line in self.lines)

    @property
    def faults(self) -> tuple[tuple[int | None, Check], ...]:
        """Checks that were asked for and failed, each with its line's number; None: the poem's."""
        own = [(None, check) for check in self.checks]
        of_lines = [(line.number, check) for line in self.lines for check in line.checks]
        return tuple(
            (number, check)
            for number, check in (*own, *of_lines)
            if check.is_asked and not check.ok
        )

    def to_dict(self) -> dict[str, object]:
        """Report as JSON can hold it; what was not measured is left out."""
        fields = {"ok": self.ok, **asdict(self)}
        fields["lines"] = [{"ok": line.ok, **_measured(asdict(line))} for line in self.lines]
        return _measured(fields)


def _measured(fields: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
