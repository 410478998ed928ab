"""Notes among verse: footnotes and their marks, variants, transcribers' notes, illustrations.

Knows nothing of files.
"""

import re

from training.cleaning.blocks import is_filled, is_heading, is_stanza, split_blocks, without_blocks
from training.cleaning.cuts import Cuts, Kind

MAX_NOTE = 5_000  # characters in one pair of brackets
MOST_UNCLOSED = 100  # brackets in a document whose end is looked for in vain
_BRACKETED = re.compile(
    r"\*?\[(?P<what>Footnotes?|Variants?|Note|Illustrations?|Sidenotes?|Decoration"
    r"|Transcriber'?s'? Notes?|sic|Pg|Page)\b",
    re.IGNORECASE,
)
_KIND: dict[str, Kind] = {
    "foot": "footnotes",
    "vari": "footnotes",
    "note": "footnotes",
    "tran": "transcriber-notes",
    "pg": "page-numbers",
    "page": "page-numbers",
}
_MARK = re.compile(r"(?<=[\w.,;:!?'\")])[ \t]?\[(?:\d{1,3}|[A-Z]{1,2}|[a-z])\](?!\w)")
_SECTION = re.compile(
    r"(?:(?P<sure>FOOTNOTES?|Footnotes?|LINE[- ]?NOTES?)|NOTES?|VARIANTS?|VARIATIONS)"
    r"(?: (?:ON|TO) .*)?[.:]?"
)
_NOTE = re.compile(r"(?:NOTES?|Notes?)\.?(?::|--|\.--|—)[ ]?\S")
_TRANSCRIBER = re.compile(r"[\[*_ ]*Transcriber'?s'?’? Notes?\b", re.IGNORECASE)
_DATED = re.compile(r"(?:Composed|Published|Written)\b[^\n]{0,80}\Z")
_QUOTE = re.compile(r"[(\[]?[\"'“‘]")
_CLOSES = re.compile(r"(?<=\S)[\"”](?!\w)|(?<=[.,;:!?])['’](?!\w)")
_INTRODUCES = re.compile(r"(?:[:,—–]|--)[\"'”’]?\Z")
_SOURCE = r"\b(?:[Bb]ook|[Cc]anto|[Ss]tanza|[Aa]ct|[Pp]age|p|ll?)[. ]"
_ATTRIBUTES = re.compile(rf"--|—|\(|Ed\.|[^\n]{{0,80}}(?:{_SOURCE}|--\Z|\]\Z)")
_SIGNS = ("[", "ote", "OTE", "VARIA")


def cut_notes(text: str, cuts: Cuts) -> str:
    """Cut notes in brackets, the marks that refer to them, and blocks that are notes."""
    if not any(sign in text for sign in _SIGNS):
        return text
    if "[" in text:
        text = _without_bracketed(text, cuts)
        if "footnotes" not in cuts.keep:
            text = _MARK.sub(lambda mark: _counted(mark, cuts), text)
    return _without_note_blocks(text, cuts)


def _counted(mark: re.Match[str], cuts: Cuts) -> str:
    cuts.add("footnotes", mark.group())
    return ""


def _without_bracketed(text: str, cuts: Cuts) -> str:
    kept, place, unclosed = [], 0, 0
    while unclosed < MOST_UNCLOSED and (opening := _BRACKETED.search(text, place)) is not None:
        end = _closing(text, text.index("[", opening.start()))
        if end is None:
            unclosed += 1
            kept.append(text[place : opening.end()])
            place = opening.end()
            continue
        kind = _KIND.get(opening["what"].lower()[:4], "illustrations")
        if kind in cuts.keep:
            kept.append(text[place:end])
        else:
            cuts.add(kind, text[opening.start() : end].strip())
            kept.append(text[place : opening.start()].rstrip(" \t"))
        place = end
    return "".join([*kept, text[place:]]) if kept else text


def _closing(text: str, at: int) -> int | None:
    """Find the end of the bracket that opens at `at`, those inside it included."""
    depth = 0
    for bracket in re.compile(r"[\[\]]").finditer(text, at, at + MAX_NOTE):
        depth += 1 if bracket.group() == "[" else -1
        if depth == 0:
            return bracket.end()
    return None


def _without_note_blocks(text: str, cuts: Cuts) -> str:
    blocks = split_blocks(text)
    dropped: set[int] = set()
    for number, block in enumerate(blocks):
        if number in dropped:
            continue
        kind: Kind
        if _TRANSCRIBER.match(block) is not None:
            kind, end = "transcriber-notes", _end_of_transcriber_note(blocks, number)
        elif (section := _SECTION.fullmatch(block.partition("\n")[0].strip())) is not None:
            kind, end = "footnotes", _end_of_section(blocks, number)
            if end == number + 1 < len(blocks) and section["sure"] is None:
                continue  # the title of a poem
        elif _NOTE.match(block) is not None and _is_prosaic(block):
            kind, end = "footnotes", number + 1
        else:
            continue
        if kind in cuts.keep:
            continue
        dropped.update(range(number, end))
        cuts.add(kind, "\n\n".join(blocks[number:end]))
    return without_blocks(text, dropped)


def _is_prosaic(block: str) -> bool:
    """Check whether a block goes on with small letters, or is one line of a sentence."""
    first, _, rest = block.partition("\n")
    return is_filled(block.split("\n")) or rest[:1].islower() or (not rest and len(first) > 30)


def _end_of_transcriber_note(blocks: list[str], number: int) -> int:
    """Find where a transcriber's note ends: after its block; a heading alone, with the text."""
    block = blocks[number]
    if _TRANSCRIBER.sub("", block).strip(" :.*_-\n]") != "":
        return number + 1
    return len(blocks)


def _end_of_section(blocks: list[str], number: int) -> int:
    """Find where notes end: before the next stanza that no note quotes, and the heading over it."""
    for stanza in range(number + 1, len(blocks)):
        if is_stanza(blocks[stanza]) and not _is_quoted(blocks, stanza, number):
            at = stanza
            while at - 1 > number and _heads_poem(blocks[at - 1]):
                at -= 1
            return at
    return len(blocks)


def _is_quoted(blocks: list[str], stanza: int, section: int) -> bool:
    """Check whether a note quotes a stanza: in quotation marks that close at its end, and with
    words of the note before or behind it.

    What is cut must not be verse: a stanza below a heading begins a poem, and its epigraph is kept.
    """
    quoted = blocks[stanza]
    before = blocks[stanza - 1] if stanza - 1 > section else ""
    behind = blocks[stanza + 1] if stanza + 1 < len(blocks) else ""
    if _QUOTE.match(quoted) is None or _CLOSES.search(quoted.rpartition("\n")[0]) is not None:
        return False
    if _heads_poem(before):
        return False
    ends_note = quoted.endswith("]") and "[" not in quoted
    if ends_note or _INTRODUCES.search(before) is not None:
        return True
    return _ATTRIBUTES.match(behind) is not None and not is_heading(behind)


def _heads_poem(block: str) -> bool:
    return is_heading(block) or _DATED.match(block) is not None
