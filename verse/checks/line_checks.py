"""Checks of one line by itself: syllables, metre, letters and words that a form asks for."""

import unicodedata
from collections.abc import Iterator

from verse.checks.scansion import metre_basis
from verse.checks.spoken_line import LEVELS, SpokenLine
from verse.forms import LineSpec, first_letter, range_of, shown_range
from verse.prosody.line_words import line_words
from verse.report import Basis, Check, CheckKind

_ORDER: tuple[Basis, ...] = LEVELS


def line_checks(line: SpokenLine, spec: LineSpec) -> Iterator[Check]:
    """Checks of all that a form asks of a line but its rhyme and refrain, and of its words."""
    yield from syllable_checks(line, spec)
    yield from metre_checks(line, spec)
    yield from letter_checks(line.text, spec)
    yield words_check(line)


def syllable_checks(line: SpokenLine, spec: LineSpec) -> Iterator[Check]:
    """Check that some combination of a line's readings has the wanted number of syllables.

    A metre that ends on a strong place may have one weak syllable beyond it.
    """
    wanted = spec.syllable_range
    if wanted is None:
        return
    low, high = wanted
    for level, basis in enumerate(LEVELS):
        fitting = [count for count in line.syllable_counts(level) if low <= count <= high]
        if fitting:
            yield Check("syllables", shown_range(wanted), str(max(fitting)), True, basis)
            return
    counts = line.syllable_counts(len(LEVELS) - 1)
    if not counts or line.basis == "unknown":
        found = f"{', '.join(unknown_words(line)) or 'no words'}: not known"
        yield Check("syllables", shown_range(wanted), found, False, "unknown")
        return
    nearest = min(counts, key=lambda count: (min(abs(count - low), abs(count - high)), count))
    is_weak = any(metre_basis(line, each, is_strict=False) for each in spec.templates)
    hint = ", the last one weak" if is_weak else _old_past(line, low - nearest)
    found = f"{nearest}{hint}"
    yield Check("syllables", shown_range(wanted), found, is_weak, line.basis)


def _old_past(line: SpokenLine, num_short: int) -> str:
    """Hint that a line would have its syllables if -ed were one, as in older verse."""
    silent = [
        word.text
        for word in line.words
        if word.text.endswith("ed")
        and word.readings
        and all(each.phonemes[-2] not in {"IH0", "AH0"} for each in word.readings)
    ]
    if not 0 < num_short <= len(silent):
        return ""
    return f" (enough if -ed were a syllable in {' or '.join(silent)})"


def metre_checks(line: SpokenLine, spec: LineSpec) -> Iterator[Check]:
    """Metre by the lenient rule, which is asked for, and by the strict one, which is told."""
    if not spec.templates:
        return
    wanted = " or ".join(spec.templates)
    for is_strict in (False, True):
        kept = [
            basis
            for template in spec.templates
            if (basis := metre_basis(line, template, is_strict=is_strict))
        ]
        surest: Basis = min(kept, key=_ORDER.index) if kept else line.basis
        yield Check(
            "strict metre" if is_strict else "metre",
            wanted,
            "kept" if kept else "not kept",
            bool(kept),
            surest,
            is_asked=not is_strict,
        )


def letter_checks(text: str, spec: LineSpec) -> Iterator[Check]:
    """Checks of what stands in a line: its text, first letter, beginning, end and length."""
    words = _folded(text)
    if spec.text is not None:
        yield Check("text", spec.text, text, text.strip() == spec.text.strip(), "text")
    if spec.acrostic is not None:
        found = first_letter(text)
        yield Check("acrostic", spec.acrostic, found, found == spec.acrostic.casefold(), "text")
    if spec.start is not None:
        start = _folded(spec.start)
        begins = text.startswith(spec.start) or (start != [] and words[: len(start)] == start)
        yield Check("start", spec.start, " ".join(words[: len(start)]), begins, "text")
    if spec.end is not None:
        yield _ending("end", spec.end, words)
    if spec.tail is not None:
        yield _ending("tail", spec.tail, words)
    if (wanted := range_of(spec.characters)) is not None:
        letters = sum(char.isalpha() for char in unicodedata.normalize("NFC", text))
        is_right = wanted[0] <= letters <= wanted[1]
        yield Check("characters", shown_range(wanted), str(letters), is_right, "text")


def words_check(line: SpokenLine) -> Check:
    """Check that every word is known by the dictionary or by rule; told, never asked for."""
    strange = [word.text for word in line.words if word.basis in {"guess", "unknown"}]
    found = f"not known: {', '.join(strange)}" if strange else "all known"
    ok = bool(line.words) and not strange
    return Check("words", "known words", found, ok, line.basis, is_asked=False)


def unknown_words(line: SpokenLine) -> list[str]:
    """Words of a line of which nothing can be said."""
    return [word.text for word in line.words if not word.readings]


def same_words(one: str, other: str) -> bool:
    """Check whether two lines say the same, whatever their marks and capitals."""
    return _folded(one) == _folded(other)


def _ending(kind: CheckKind, wanted: str, words: list[str]) -> Check:
    end = _folded(wanted)
    found = words[-len(end) :] if end else []
    return Check(kind, wanted, " ".join(found), bool(end) and found == end, "text")


def _folded(text: str) -> list[str]:
    """Words in small letters; of a script that parts none, each character."""
    words = [word.text.casefold() for word in line_words(unicodedata.normalize("NFC", text))]
    return [part for word in words for part in (list(word) if _is_wide(word) else [word])]


def _is_wide(word: str) -> bool:
    return any(unicodedata.east_asian_width(character) in {"W", "F"} for character in word)
