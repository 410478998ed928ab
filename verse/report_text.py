"""Report on a poem as text for a terminal, in the words that poets use."""

from collections import Counter

from model.copies.copy_report import CopyReport
from model.count_in_words import counted
from verse.analysis import Analysis, Recognition
from verse.prosody.line_words import line_words
from verse.report import Check, LineReport, Report

_SAID = {
    "lines": "the poem has {found} lines, and the form {wanted}",
    "syllables": "syllables: {found}, and the form wants {wanted}",
    "metre": "the stresses do not fall as {wanted}",
    "rhyme": "{found}; the form wants that it {wanted}",
    "distinct rhyme": "{found}, which has another letter",
    "start": "begins with {found!r}, and not with {wanted!r}",
    "end": "ends on {found!r}, and not on {wanted!r}",
    "tail": "ends on {found!r}, and not on {wanted!r}",
    "acrostic": "begins with {found!r}, and the acrostic wants {wanted!r}",
    "text": "is not the line that was set: {wanted!r}",
    "refrain": "does not say the refrain: {wanted!r}",
    "characters": "has {found} letters, and the form wants {wanted}",
}
_SURE = {
    "guess": " (by a guess at how a word is said)",
    "unknown": " (a word is not known)",
}


def report_text(report: Report, *, with_marks: bool = False) -> str:
    """Whole report: a verdict, each line with its faults under it, and what is worth knowing.

    With `with_marks` each line has its scansion above it.
    """
    lines = [_verdict(report), ""]
    for line in report.lines:
        lines += line_text(line, with_marks=with_marks)
    return "\n".join([*lines, "", *_notes(report)]).rstrip() + "\n"


def line_text(line: LineReport, *, with_marks: bool = False) -> list[str]:
    """One line: number, rhyme letter, syllables and text, and its faults below."""
    count = str(line.syllables[0]) if line.syllables else "?"
    head = f"{line.number:3} {line.rhyme or ' '} {count:>3}  "
    above = [" " * len(head) + scansion_text(line)] if with_marks else []
    faults = [f"{'':{len(head)}}- {_fault(check)}" for check in line.checks if _is_fault(check)]
    return [*above, head + line.text, *faults]


def scansion_text(line: LineReport) -> str:
    """Marks of a line, each word's above its beginning where there is room."""
    above = ""
    for word, marks in zip(line_words(line.text), line.marks, strict=True):
        above += " " * max(bool(above), word.start - len(above)) + marks
    return above


def analysis_text(analysis: Analysis, *, with_marks: bool = True) -> str:
    """Format what a text is as verse: form and scheme, then each line with its scansion."""
    lines = [_recognised(analysis.recognition), f"Rhymes: {analysis.scheme}", ""]
    for line in analysis.lines:
        lines += line_text(line, with_marks=with_marks)
    if analysis.unknown_words:
        lines += ["", f"Not known, so guessed or not counted: {', '.join(analysis.unknown_words)}."]
    return "\n".join(lines) + "\n"


def _recognised(found: Recognition | None) -> str:
    if found is None:
        return "No form that is known here."
    said = {"sure": "This is", "probable": "This is probably", "possible": "This may be"}
    kept = f"{found.kept} of {found.asked} of its demands are kept"
    return f"{said[found.confidence]} the form {found.form}: {kept}."


def _verdict(report: Report) -> str:
    name = report.form or "the form"
    faults = [check for _, check in report.faults]
    if not faults:
        return f"Keeps {name}."
    counts = Counter(check.kind for check in faults)
    told = ", ".join(f"{kind} {number}" for kind, number in counts.most_common())
    return f"Does not keep {name}: {counted(len(faults), 'fault')} ({told})."


def _is_fault(check: Check) -> bool:
    return check.is_asked and not check.ok


def _fault(check: Check) -> str:
    said = _SAID[check.kind].format(found=check.found, wanted=check.wanted)
    return said + _SURE.get(check.source, "")


def _notes(report: Report) -> list[str]:
    notes = [_fault(check) for check in report.checks if _is_fault(check)]
    checks = [check for line in report.lines for check in line.checks]
    notes += _shares(checks)
    strange = [check.found for check in checks if check.kind == "words" and not check.ok]
    notes += [f"Words {found}." for found in strange]
    for check in report.checks:
        if check.kind == "close" and not check.ok:
            notes.append("The last line does not end on . ! or ?")
        if check.kind == "stanzas" and not check.ok:
            notes.append(f"Stanzas of {check.found} lines, and the form has {check.wanted}.")
    if report.fluency is not None:
        beside = f" (free writing: {report.free_fluency:.3f})" if report.free_fluency else ""
        notes.append(f"Fluency {report.fluency:.3f} nats a character{beside}.")
    notes += [f"Relaxed: {each}." for each in report.relaxed]
    if report.copied is not None:
        notes.append(_copied(report.copied))
    if report.tried is not None:
        notes.append(f"{counted(report.tried, 'line')} tried.")
    if report.seed is not None:
        notes.append(f"Seed {report.seed}.")
    return notes


def _copied(report: CopyReport) -> str:
    """Format what of a poem stands in the training text, word for word."""
    run = report.longest
    if run is None:
        return "No three words in a row are from the training text."
    where = f"{run.file}, document {run.document}, line {run.line}"
    said = {"clear": "", "flagged": "; look at it", "rejected": "; that is a copy"}
    found = f"Longest run of the training text: {counted(run.characters, 'character')}"
    return f"{found} ({where}){said[report.verdict]}."


def _shares(checks: list[Check]) -> list[str]:
    """Format the share of lines that keep the metre, by both rules, where the form has one."""
    loose = [check.ok for check in checks if check.kind == "metre"]
    strict = [check.ok for check in checks if check.kind == "strict metre"]
    if not loose:
        return []
    kept = f"Metre kept in {sum(loose):,} of {counted(len(loose), 'line')}"
    return [f"{kept}; in {sum(strict)} with every full word on a beat."]
