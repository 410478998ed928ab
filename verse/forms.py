"""Forms: what each line of a poem must have - rhyme, syllables, metre, acrostic, locked text.

A form is a list of stanzas, a stanza a list of lines, and a line says only what it wants; what it
does not name is free. `verse.presets` has the known ones. Knows nothing of how a poem is written
or checked, and of no language: whether words rhyme is the affair of `verse.prosody`.
"""

import re
from itertools import accumulate
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from model.count_in_words import counted
from model.validation import validated_fields

MAX_LINES = 120
MAX_SYLLABLES = 30
MAX_LINE_CHARACTERS = 200

FEET = {"iambic": "x/", "trochaic": "/x", "anapestic": "xx/", "dactylic": "/xx"}
LENGTHS = {
    "dimeter": 2,
    "trimeter": 3,
    "tetrameter": 4,
    "pentameter": 5,
    "hexameter": 6,
    "heptameter": 7,
}
_PLACES = re.compile(r"[x/]+")

Range = tuple[int, int]
# Without any character at which Python, and so the verifier, parts lines.
ONE_LINE = r"^[^\n\r\x0B\x0C\x1C-\x1E\x85\u2028\u2029]*$"
Text = Annotated[str, Field(min_length=1, max_length=MAX_LINE_CHARACTERS, pattern=ONE_LINE)]
_Count = Annotated[int, Field(ge=1, le=MAX_LINE_CHARACTERS)]
Count = _Count | Annotated[tuple[_Count, _Count], Field(strict=False)]


class LineSpec(BaseModel):
    """Line of a form: what it must have. Every field may be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    rhyme: str | None = Field(
        None, pattern="^[A-Z]$", description="lines of one letter rhyme, those of two do not"
    )
    syllables: Count | None = Field(
        None, description="number of syllables, or [least, most]; counted as a reader speaks them"
    )
    metre: str | Annotated[tuple[str, ...], Field(strict=False, min_length=1)] | None = Field(
        None,
        description="weak and strong places, as x/x/x/x/x/ or `iambic pentameter`; of several, "
        "one is kept",
    )
    characters: Count | None = Field(
        None, description="letters of the line, or [least, most], for any script; marks are free"
    )
    start: Text | None = Field(None, description="words that the line begins with")
    end: Text | None = Field(None, description="word or words that the line ends with")
    tail: Text | None = Field(
        None, description="words that follow the rhyme word, as the refrain of a ghazal"
    )
    acrostic: str | None = Field(
        None, min_length=1, max_length=1, description="letter that the line begins with"
    )
    text: Text | None = Field(None, description="the whole line, which stays as it is")
    refrain: Annotated[int, Field(ge=1, le=MAX_LINES)] | None = Field(
        None, description="number of an earlier line that is said again, counted from 1"
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for name in ("syllables", "characters"):
            low, high = range_of(getattr(self, name)) or (1, 1)
            if low > high:
                raise ValueError(f"{name}: [least, most], got [{low}, {high}]")
        counts = range_of(self.syllables)
        if counts and counts[1] > MAX_SYLLABLES:
            raise ValueError(f"syllables: at most {MAX_SYLLABLES}, got {counts[1]}")
        lengths = [len(template) for template in self.templates]
        if counts and any(not counts[0] <= length <= counts[1] for length in lengths):
            raise ValueError(
                f"metre has {counted(lengths[0], 'place')}, and syllables asks for "
                f"{shown_range(counts)}"
            )
        wanted = {name for name, value in self if value is not None}
        if self.refrain is not None and wanted - {"refrain", "rhyme"}:
            raise ValueError("refrain repeats a whole line, so nothing else but rhyme is said")
        if self.characters is not None and self.needs_prosody:
            raise ValueError(
                "characters are counted where nothing is known of sounds; leave out "
                "rhyme, syllables and metre"
            )
        if self.end is not None and self.tail is not None:
            raise ValueError("end and tail are both the line's last words; give one of them")
        if self.acrostic is not None and not self.acrostic.isalpha():
            raise ValueError(f"acrostic: one letter, got {self.acrostic!r}")
        begun = self.text or self.start
        if self.acrostic and begun and first_letter(begun) != self.acrostic.casefold():
            raise ValueError(f"acrostic: {self.acrostic!r} is not how {begun!r} begins")
        return self

    @property
    def templates(self) -> tuple[str, ...]:
        """Metres of the line as strings of x and /, one of which it keeps; none if it is free."""
        if self.metre is None:
            return ()
        named = (self.metre,) if isinstance(self.metre, str) else self.metre
        return tuple(template_of(each) for each in named)

    @property
    def syllable_range(self) -> Range | None:
        """Least and most syllables, by `syllables` or by the metre; None where both are free."""
        lengths = [len(template) for template in self.templates]
        if lengths:
            return min(lengths), max(lengths)
        return range_of(self.syllables)

    @property
    def needs_prosody(self) -> bool:
        """True where the line can only be kept by who knows how words sound."""
        return self.rhyme is not None or self.syllable_range is not None


Stanzas = tuple[Annotated[tuple[LineSpec, ...], Field(min_length=1, strict=False)], ...]


class PoemSpec(BaseModel):
    """Form of a poem: its stanzas, each a list of lines; letters of rhymes hold for the whole."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str | None = Field(None, max_length=60, description="what the form is called")
    stanzas: Annotated[Stanzas, Field(min_length=1, strict=False)] = Field(
        description="stanzas of lines; an empty line is written between two stanzas"
    )

    @classmethod
    def checked(cls, fields: object) -> Self:
        """Validate JSON-like fields as a form. Raises ParameterError, which names the field."""
        return validated_fields(cls, fields)

    @field_validator("stanzas")
    @classmethod
    def _refrains_look_back(cls, stanzas: Stanzas) -> Stanzas:
        lines = [line for stanza in stanzas for line in stanza]
        if len(lines) > MAX_LINES:
            raise ValueError(f"at most {MAX_LINES} lines, got {len(lines)}")
        for number, line in enumerate(lines, 1):
            if line.refrain is not None and line.refrain >= number:
                raise ValueError(
                    f"line {number}: refrain names an earlier line, not {line.refrain}"
                )
        return stanzas

    @property
    def lines(self) -> tuple[LineSpec, ...]:
        """All lines, without the stanzas' bounds."""
        return tuple(line for stanza in self.stanzas for line in stanza)

    @property
    def ends_stanza(self) -> tuple[bool, ...]:
        """For each line whether it is its stanza's last."""
        return tuple(
            place == len(stanza) - 1 for stanza in self.stanzas for place in range(len(stanza))
        )

    @property
    def closing_lines(self) -> frozenset[int]:
        """Indices of the lines with which stanzas end, or of those that they repeat there."""
        ends = (index for index, ends in enumerate(self.ends_stanza) if ends)
        return frozenset(map(self.source, ends))

    @property
    def needs_prosody(self) -> bool:
        """True where a line can only be kept by who knows how words sound."""
        return any(line.needs_prosody for line in self.lines)

    def field(self, index: int) -> str:
        """Name of the field that a line of this index (from 0) is, in a request."""
        for number, stanza in enumerate(self.stanzas):
            if index < len(stanza):
                return f"spec.stanzas.{number}.{index}"
            index -= len(stanza)
        raise IndexError(index)

    def source(self, index: int) -> int:
        """Index of the line whose text stands at this index (from 0): its own, or a refrain's."""
        refrain = self.lines[index].refrain
        return index if refrain is None else self.source(refrain - 1)

    def resolved(self, index: int) -> LineSpec:
        """Line of this index (from 0), or the one that it repeats, where it is a refrain."""
        return self.lines[self.source(index)]

    def with_line(self, index: int, line: LineSpec) -> Self:
        """Form with another line in the place of that index, counted from 0."""
        starts = accumulate((len(stanza) for stanza in self.stanzas), initial=0)
        stanzas = [
            tuple(line if start + place == index else old for place, old in enumerate(stanza))
            for start, stanza in zip(starts, self.stanzas, strict=False)
        ]
        return self.model_copy(update={"stanzas": tuple(stanzas)})


def template_of(metre: str) -> str:
    """Places of a metre, x weak and / strong: a pattern as it is, or by name.

    Raises ValueError, which a pydantic model turns into a complaint about its field.
    """
    if _PLACES.fullmatch(metre) and len(metre) <= MAX_SYLLABLES:
        return metre
    foot, _, length = metre.partition(" ")
    if foot in FEET and length in LENGTHS:
        return FEET[foot] * LENGTHS[length]
    raise ValueError(
        f"metre: x and / (at most {MAX_SYLLABLES}), or one of {', '.join(FEET)} and one of "
        f"{', '.join(LENGTHS)}, got {metre[:60]!r}"
    )


def range_of(count: int | Range | None) -> Range | None:
    """Least and most of a count; one number is both."""
    return (count, count) if isinstance(count, int) else count


def shown_range(counts: Range) -> str:
    """A range in words: `10`, or `8 to 10`."""
    return str(counts[0]) if counts[0] == counts[1] else f"{counts[0]} to {counts[1]}"


def first_letter(text: str) -> str:
    """First letter of a text, folded; empty where it has none."""
    return next((char.casefold() for char in text if char.isalpha()), "")
