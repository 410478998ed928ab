"""Chords over or within the words of a song, ChordPro's directives, and tablature.

A line of chords alone is cut only in a text that shows several, or chords that are no words: `A`
and `Am` may be the words of a poem. Knows nothing of files.
"""

import re

from training.cleaning.cuts import Cuts

_CHORD = (
    r"[A-G](?:#|b|♯|♭)?(?:maj|min|dim|aug|sus|add|m|M|\+|°|ø)?\d{0,2}"
    r"(?:(?:sus|add|maj|b|#)\d{1,2})*(?:/[A-G](?:#|b)?)?"
)
_CHORDS = rf"[ \t|]*(?:{_CHORD}|N\.?C\.?)(?:[ \t|,]+(?:{_CHORD}|N\.?C\.?|[x×]\d))*[ \t|]*"
_CHORD_LINE = re.compile(rf"^{_CHORDS}$\n?", re.M)
# Begins with a literal, which re finds several times as fast as the beginning of a line.
_BELOW = re.compile(rf"\n({_CHORDS})(?=\n|\Z)")
_SURE = re.compile(r"[#♯♭\d/]|maj|min|dim|aug|sus|add|[A-G]m\b|[ \t]{2,}[A-G]")
_INLINE = re.compile(rf"\[{_CHORD}\]")
_DIRECTIVE = re.compile(
    r"^[ \t]*\{(?P<name>title|t|subtitle|st|artist|composer|lyricist|comment|c|ci|soc|eoc|sov|eov|"
    r"sob|eob|start_of_\w+|end_of_\w+|key|capo|tempo|time|define|chorus|new_song|ns|album|year)"
    r"(?::[ \t]*(?P<value>[^}\n]*))?\}[ \t]*\n?",
    re.M | re.I,
)
_TABLATURE = re.compile(r"^[ \t]*[eBGDAE][ \t]?[|:][-\dhpbrx/\\~|(). ]{6,}[ \t]*\n?", re.M)
FACTS = {"title": "title", "t": "title", "artist": "author", "lyricist": "author"}
FEWEST = 3  # lines or marks that show a song with chords


def cut_chords(text: str, cuts: Cuts, facts: dict[str, str]) -> str:
    """Cut chords; what ChordPro's directives tell of title and author goes to `facts`."""
    before = text
    if "[" in text and _shows_inline(text):
        text = cuts.cut("chords", _INLINE, text)
    if "{" in text:
        for directive in _DIRECTIVE.finditer(text):
            name, value = FACTS.get(directive["name"].lower()), directive["value"]
            if name is not None and value:
                facts.setdefault(name, value.strip())
        text = cuts.cut("chords", _DIRECTIVE, text)
    if "--" in text:
        text = cuts.cut("chords", _TABLATURE, text)
    if _shows_chord_lines(text):
        text = cuts.cut("chords", _CHORD_LINE, text)
    return text if text is before else text.strip("\n")


def _shows_inline(text: str) -> bool:
    """Check whether bracketed letters are chords: they come again, marks of footnotes do not."""
    marks = _INLINE.findall(text)
    is_sure = any(_SURE.search(mark) is not None for mark in marks)
    return len(marks) >= FEWEST and (is_sure or len(set(marks)) < 0.7 * len(marks))


def _shows_chord_lines(text: str) -> bool:
    lines = _BELOW.findall("\n" + text)
    return len(lines) >= FEWEST and any(_SURE.search(line) is not None for line in lines)
