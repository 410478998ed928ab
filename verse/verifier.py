"""Verifier of finished verse against a form: reads the text alone, and says what it found.

It shares nothing with the composer but the readers of words, so a mistake there is not repeated
here. A line is checked as far as there is one; missing lines are told once.
"""

import re
from collections.abc import Iterator, Sequence

from verse.checks.line_checks import line_checks, same_words
from verse.checks.rhyme_finding import ends_finding
from verse.checks.scansion import fitting_marks
from verse.checks.spoken_line import LEVELS, SpokenLine, SpokenWord, spoken_line
from verse.forms import LineSpec, PoemSpec
from verse.prosody.line_words import line_words
from verse.report import Check, LineReport, Report

_Words = tuple[SpokenWord, ...]
_REFUSED = {
    "unknown": "not known",
    "near": "a near rhyme",
    "same sound": "the same sound",
}
_CLOSED = re.compile(r"[.!?\u3002\uff01\uff1f][\"'\u2019\u201d)\]]*$")


def verify(text: str, spec: PoemSpec) -> Report:
    """Report on a poem as text against a form.

    Lines are what stands between line ends, blank ones parting stanzas. A single line before the
    first blank one is taken for a title where the poem would have one line too many with it.
    """
    blocks = stanzas_of(text)
    if len(blocks) > 1 and len(blocks[0]) == 1 and _num_lines(blocks) == len(spec.lines) + 1:
        blocks = blocks[1:]
    lines = [spoken_line(line) for block in blocks for line in block]
    reports = tuple(
        _line_report(number, lines, spec) for number in range(min(len(lines), len(spec.lines)))
    )
    return Report(spec.name, tuple(_poem_checks(blocks, spec)), reports)


def stanzas_of(text: str) -> list[list[str]]:
    """Stanzas of a text as lists of its lines, without blank ones and the space around them."""
    lines = [line.strip() for line in text.splitlines()]
    blocks = "\n".join(lines).strip().split("\n\n")
    stanzas = [[line for line in block.split("\n") if line] for block in blocks]
    return [stanza for stanza in stanzas if stanza]


def rhyming_words(line: SpokenLine, spec: LineSpec) -> tuple[SpokenWord, ...]:
    """Words of a line up to the one that bears its rhyme: all, or those before the form's tail."""
    num_after = len(line_words(spec.tail)) if spec.tail is not None else 0
    return line.words[: len(line.words) - num_after]


def _num_lines(blocks: Sequence[Sequence[str]]) -> int:
    return sum(map(len, blocks))


def _poem_checks(blocks: list[list[str]], spec: PoemSpec) -> Iterator[Check]:
    wanted, found = len(spec.lines), _num_lines(blocks)
    yield Check("lines", str(wanted), str(found), wanted == found, "text")
    shape = [str(len(stanza)) for stanza in spec.stanzas]
    actual = [str(len(block)) for block in blocks]
    yield Check(
        "stanzas", ", ".join(shape), ", ".join(actual), shape == actual, "text", is_asked=False
    )
    last = blocks[-1][-1] if blocks else ""
    is_closed = _CLOSED.search(last) is not None
    found_end = last[-1:] if is_closed else "none"
    yield Check("close", ". ! or ?", found_end, is_closed, "text", is_asked=False)


def _line_report(index: int, lines: list[SpokenLine], spec: PoemSpec) -> LineReport:
    line, wanted = lines[index], spec.resolved(index)
    checks = [*line_checks(line, wanted), *_refrain_checks(index, lines, spec)]
    checks += _rhyme_checks(index, lines, spec)
    marks = fitting_marks(line, wanted.templates)
    return LineReport(
        number=index + 1,
        text=line.text,
        checks=tuple(checks),
        rhyme=spec.lines[index].rhyme,
        syllables=_counts(line, marks),
        marks=marks,
    )


def _counts(line: SpokenLine, marks: tuple[str, ...]) -> tuple[int, ...]:
    """Numbers of syllables that a line may have, that of its marks first."""
    shown = sum(map(len, marks))
    counts = line.syllable_counts(len(LEVELS) - 1)
    return tuple(sorted(counts, key=lambda count: (count != shown, count)))


def _refrain_checks(index: int, lines: list[SpokenLine], spec: PoemSpec) -> Iterator[Check]:
    number = spec.lines[index].refrain
    if number is not None:
        earlier, text = lines[number - 1].text, lines[index].text
        yield Check("refrain", earlier, text, same_words(earlier, text), "text")


def _rhyme_checks(index: int, lines: list[SpokenLine], spec: PoemSpec) -> Iterator[Check]:
    """A line rhymes with an earlier one of its letter and with none of another letter.

    A refrain needs no rhyme of its own: its line has been checked where it stood first.
    """
    letter = spec.lines[index].rhyme
    if letter is None or spec.lines[index].refrain is not None:
        return
    words = rhyming_words(lines[index], spec.resolved(index))
    earlier = [
        (place, spec.lines[place].rhyme, others)
        for place in range(index)
        if spec.lines[place].rhyme is not None
        and spec.lines[place].refrain is None
        and (others := rhyming_words(lines[place], spec.resolved(place)))
    ]
    own = [(place, others) for place, its, others in earlier if its == letter]
    if own:
        yield _own_rhyme(words, own)
    foreign = [(place, others) for place, its, others in earlier if its != letter]
    if foreign and words:
        yield _distinct_rhyme(words, foreign)


def _own_rhyme(words: _Words, own: list[tuple[int, _Words]]) -> Check:
    wanted = f"rhymes with line {' or '.join(str(place + 1) for place, _ in own)}"
    if not words:
        return Check("rhyme", wanted, "no words", False, "unknown")
    findings = [(ends_finding(words, others), others[-1].text) for _, others in own]
    word = words[-1].text
    for finding, _ in findings:
        if finding.kind == "same word":
            return Check("rhyme", wanted, f"{word} again", False, "text")
    for finding, text in findings:
        if finding.is_rhyme:
            weak = ", on a weak syllable" if finding.kind == "weak" else ""
            return Check("rhyme", wanted, f"{word} / {text}{weak}", True, finding.basis)
    finding, text = findings[0]
    said = _REFUSED.get(finding.kind, "no rhyme")
    return Check("rhyme", wanted, f"{word} / {text}: {said}", False, finding.basis)


def _distinct_rhyme(words: _Words, foreign: list[tuple[int, _Words]]) -> Check:
    """No perfect rhyme, and no word said again, between lines of different letters."""
    for place, others in foreign:
        finding = ends_finding(words, others)
        if finding.kind in {"perfect", "same word"}:
            found = f"rhymes with line {place + 1}: {words[-1].text} / {others[-1].text}"
            return Check("distinct rhyme", "no other rhyme", found, False, finding.basis)
    basis = words[-1].basis
    return Check("distinct rhyme", "no other rhyme", "none", basis != "unknown", basis)
