"""Analysis of a user's own text: syllables, scansion and rhyme letters of its lines, and its form.

Rhyme letters are found, not asked for: a line gets the letter of the nearest earlier line that it
rhymes with. The form is the preset that the text keeps best, with how surely that can be said.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from verse.checks.line_checks import words_check
from verse.checks.rhyme_finding import ends_finding
from verse.checks.scansion import fitting_marks
from verse.checks.spoken_line import LEVELS, SpokenLine, spoken_line
from verse.forms import MAX_LINES, PoemSpec
from verse.presets import PRESETS
from verse.report import Check, CheckKind, LineReport, Report
from verse.verifier import stanzas_of, verify

Confidence = Literal["sure", "probable", "possible"]
_LEAST: dict[Confidence, float] = {"sure": 0.9, "probable": 0.75, "possible": 0.6}
_REACH = 12  # lines back that a rhyme is still heard
_TELLING: tuple[CheckKind, ...] = ("rhyme", "syllables", "metre")
UNRHYMED = "-"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Forms whose stanza a poem may repeat as often as it likes: the preset and how much of it that is.
_BY_STANZA = {
    "couplets": 2,
    "quatrain-abab": 4,
    "quatrain-aabb": 4,
    "quatrain-abba": 4,
    "common-metre": 4,
    "ballad": 4,
}


@dataclass(frozen=True, slots=True)
class Recognition:
    """Form that a text seems to have: how many of its demands are kept, and how surely it is."""

    form: str
    confidence: Confidence
    kept: int
    asked: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """Text as verse: its lines, its rhyme scheme, a form if it has one, and words not known."""

    lines: tuple[LineReport, ...]
    scheme: str
    "Rhyme letters, stanzas parted by spaces; - for a line that rhymes with none."
    recognition: Recognition | None
    unknown_words: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Analysis as JSON can hold it."""
        return asdict(self)


def analyse(text: str, *, by_stanza: bool = False) -> Analysis:
    """Analysis of a text whose lines are verses and whose stanzas blank lines part.

    With `by_stanza` each stanza is read by itself, whatever the others are: rhyme letters begin
    anew in each, and no form of the whole is looked for.
    """
    blocks = stanzas_of(text)
    spoken = [[spoken_line(line) for line in block] for block in blocks]
    lines = [line for stanza in spoken for line in stanza]
    parts = spoken if by_stanza else [lines]
    letters = [letter for part in parts for letter in _rhyme_letters(part)]
    counts = [each for part in parts for each in _likely_counts(part)]
    ends = iter(letters)
    scheme = " ".join("".join(next(ends) for _ in block) for block in blocks)
    rows = zip(lines, letters, counts, strict=True)
    reports = [_line(number, *row) for number, row in enumerate(rows, 1)]
    unknown = dict.fromkeys(
        word.text for line in lines for word in line.words if word.basis in {"guess", "unknown"}
    )
    form = None if by_stanza else recognise(text)
    return Analysis(tuple(reports), scheme, form, tuple(unknown))


def recognise(text: str) -> Recognition | None:
    """Preset that a text keeps best, if any well enough: by the mean of its kinds of demands."""
    blocks = stanzas_of(text)
    found = [
        (share, name, checks)
        for name, reports in _tried_forms(blocks)
        if (checks := [each for report in reports for each in _telling(report)])
        and (share := _share(checks)) >= min(_LEAST.values())
    ]
    if not found:
        return None
    share, name, checks = max(found, key=lambda each: each[0])
    confidence = next(name for name, least in _LEAST.items() if share >= least)
    return Recognition(name, confidence, sum(check.ok for check in checks), len(checks))


def _tried_forms(blocks: list[list[str]]) -> Iterator[tuple[str, list[Report]]]:
    """Reports of a text against each form of as many lines, or by stanzas up to MAX_LINES."""
    lines = [line for block in blocks for line in block]
    for name, make in PRESETS.items():
        spec = make()
        size = _BY_STANZA.get(name)
        if len(spec.lines) == len(lines):
            yield name, [verify("\n".join(lines), spec)]
        elif size is not None and lines and len(lines) % size == 0:
            stanza = PoemSpec(name=name, stanzas=(spec.lines[:size],))
            parts = [
                lines[start : start + size] for start in range(0, min(len(lines), MAX_LINES), size)
            ]
            yield name, [verify("\n".join(part), stanza) for part in parts]


def _telling(report: Report) -> list[Check]:
    return [
        check
        for line in report.lines
        for check in line.checks
        if check.kind in _TELLING or check.kind == "refrain"
    ]


def _share(checks: Sequence[Check]) -> float:
    """Mean over the kinds of checks of the share that is right; 0 where one is mostly wrong."""
    shares = []
    for kind in dict.fromkeys(check.kind for check in checks):
        kept = [check.ok for check in checks if check.kind == kind]
        shares.append(sum(kept) / len(kept))
    return 0.0 if min(shares) < 0.4 else sum(shares) / len(shares)


def _rhyme_letters(lines: Sequence[SpokenLine]) -> list[str]:
    """Letter of each line; UNRHYMED where no line near it rhymes."""
    partner = [_rhyming_before(lines, place) for place in range(len(lines))]
    group = list(range(len(lines)))
    for place, other in enumerate(partner):
        if other is not None:
            group[place] = group[other]
    names: dict[int, str] = {}
    for own in group:
        if group.count(own) > 1 and own not in names:
            names[own] = _letter(len(names))
    return [names.get(own, UNRHYMED) for own in group]


def _rhyming_before(lines: Sequence[SpokenLine], place: int) -> int | None:
    words = lines[place].words
    for other in range(place - 1, max(-1, place - 1 - _REACH), -1):
        before = lines[other].words
        if words and before:
            finding = ends_finding(words, before)
            if finding.is_rhyme or finding.kind == "same word":
                return other
    return None


def _letter(number: int) -> str:
    """Capitals, then small letters; then the last one, since such schemes are not read."""
    return LETTERS[min(number, len(LETTERS) - 1)]


def _likely_counts(lines: Sequence[SpokenLine]) -> list[tuple[int, ...]]:
    """Numbers of syllables that each line may have, that which most lines may have first."""
    possible = [line.syllable_counts(len(LEVELS) - 1) for line in lines]
    times = Counter(count for counts in possible for count in counts)
    return [tuple(sorted(counts, key=lambda count: (-times[count], count))) for counts in possible]


def _line(number: int, line: SpokenLine, letter: str, counts: tuple[int, ...]) -> LineReport:
    return LineReport(
        number=number,
        text=line.text,
        checks=(words_check(line),),
        rhyme=letter,
        syllables=counts,
        marks=fitting_marks(line, ()),
    )
