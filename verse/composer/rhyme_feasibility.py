"""Feasibility of rhymes: lines and last words that are given and do not agree, and rhymes too poor.

Lines that are given are judged by the verifier, as they will be in the end. Knows nothing of how
lines are written.
"""

from collections import Counter

from model.count_in_words import counted
from verse.composer.impossible_form import ImpossibleFormError
from verse.composer.line_rules import Diction
from verse.composer.rhyme_book import RhymeBook, rhyme_lengths, rhyming_words
from verse.forms import LineSpec, PoemSpec
from verse.prosody.readings import readings
from verse.report import Check
from verse.verifier import verify

SHOWN = 5  # words that are named as nearest
_FREE, _NO_WORDS = LineSpec(), "..."


def require_given(spec: PoemSpec) -> None:
    """Refuse lines that are given and do not keep the form, each by itself or with each other.

    Raises ImpossibleFormError.
    """
    given = [_given(line) for line in spec.lines]
    texts = [_NO_WORDS if each is None else each[1] for each in given]
    lines = tuple(_FREE if each is None else each[2] for each in given)
    for index, text in enumerate(texts):
        if not text.strip():
            raise ImpossibleFormError(f"{spec.field(index)}.text", "an empty line parts stanzas")
    report = verify("\n".join(texts), PoemSpec(stanzas=(lines,)))
    for number, check in report.faults:
        each = given[(number or 1) - 1]
        if number is not None and each is not None:
            raise ImpossibleFormError(
                f"{spec.field(number - 1)}.{each[0]}",
                f"{check.kind} of {each[1]!r}: {check.wanted}, and it has {check.found}",
                _instead(check),
            )


def _given(line: LineSpec) -> tuple[str, str, LineSpec] | None:
    """Field, text and spec of a line, or of its end, that is given."""
    if line.text is not None:
        return "text", line.text, line
    if line.end is not None:
        return "end", line.end, LineSpec(rhyme=line.rhyme)
    return None


def _instead(check: Check) -> str:
    is_known = check.source != "unknown"
    return {
        "syllables": f"ask for {check.found} syllables, or leave out strict" if is_known else "",
        "metre": "give syllables instead of a metre, or leave out strict",
        "rhyme": "give them two letters, or leave out strict",
        "distinct rhyme": "give them one letter, or leave out strict",
    }.get(check.kind, "")


def require_rhymes(diction: Diction, spec: PoemSpec) -> None:
    """Refuse letters whose lines are more than there are words for them, or end unlike.

    Raises ImpossibleFormError.
    """
    book = RhymeBook(diction, spec)
    open_lines = Counter(line.rhyme for line in spec.lines if _is_open(line))
    given: dict[str | None, str] = {}
    lengths: dict[str | None, set[int]] = {}
    for index, line in enumerate(spec.lines):
        if (text := line.text or line.end) is not None:
            book.note(line, text)
            if line.rhyme is not None and (words := rhyming_words(line, text)):
                _require_sound(words[-1].text, open_lines[line.rhyme], spec.field(index))
                given.setdefault(line.rhyme, words[-1].text)
    for index, line in enumerate(spec.lines):
        if _is_open(line):
            mine = rhyme_lengths(line)
            if mine and not mine & lengths.setdefault(line.rhyme, mine):
                raise ImpossibleFormError(
                    f"{spec.field(index)}.rhyme",
                    f"lines of {line.rhyme} end on other feet, and no word rhymes on both",
                    "give them two letters, or metres that end alike",
                )
            needed = open_lines[line.rhyme]
            _require_partners(book, line, spec.field(index), needed, given.get(line.rhyme))


def _is_open(line: LineSpec) -> bool:
    is_given = line.text is not None or line.end is not None or line.refrain is not None
    return line.rhyme is not None and not is_given


def _require_sound(word: str, num_open: int, field: str) -> None:
    if num_open and not readings(word):
        raise ImpossibleFormError(field, f"nothing is known of how {word!r} sounds")


def _require_partners(
    book: RhymeBook, line: LineSpec, field: str, needed: int, given: str | None
) -> None:
    """Refuse a line for which the model has fewer words than the letter has lines."""
    letter = line.rhyme or ""
    if given is None:
        if not book.opener_patterns(letter, line).any():
            raise ImpossibleFormError(
                f"{field}.rhyme",
                f"{letter} has {counted(needed, 'line')}, and this model no rhyme of as many words "
                "here",
                "give some of them another letter",
            )
        return
    count = len({each.onset for each in book.partners(letter, line)})
    if count < needed:
        near = book.lexicon.near_rhymes(given)[:SHOWN]
        raise ImpossibleFormError(
            f"{field}.rhyme",
            f"{letter} must rhyme with {given!r}, for which this model has "
            f"{counted(count, 'word')} here and the form needs {needed}",
            f"nearest in sound: {', '.join(near)}" if near else "",
        )
