"""Markup left in plain text: HTML tags and entities, and _emphasis_ by underscores.

Only tags and entities that HTML has, so that what a poet puts between angle brackets stays.
Knows nothing of HTML files, which are read as such.
"""

import html
import re

from training.cleaning.cuts import Cuts

_TAGS = (
    "a|abbr|b|big|blockquote|body|center|cite|code|dd|del|div|dl|dt|em|font|h[1-6]|head|hr|html|i|img"
    "|ins|li|link|meta|ol|p|pre|q|s|script|small|span|strike|strong|style|sub|sup|table|tbody|td|th"
    "|title|tr|tt|u|ul"
)
_BREAK = re.compile(r"<br[ \t]{0,9}/?>[ \t]*\n?", re.I)
_TAG = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]{{0,300}})?/?>", re.I)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.I)
_EMPHASIS = re.compile(r"(?<![\w_])_(?=[^\s_])((?:(?!\n\n)[^_]){1,800})(?<=[^\s_])_(?![\w_])")


def cut_markup(text: str, cuts: Cuts) -> str:
    """Cut tags, turn entities into their characters and `<br>` into line ends, drop emphasis."""
    if "<" in text:
        text = _without_comments(text, cuts)
        text = cuts.cut("markup", _BREAK, text, "\n")
        text = cuts.cut("markup", _TAG, text)
    if "&" in text:
        text = _ENTITY.sub(lambda entity: _character(entity, cuts), text)
    if "_" in text:
        text = _EMPHASIS.sub(lambda marked: _unmarked(marked, cuts), text)
    return text


def _without_comments(text: str, cuts: Cuts) -> str:
    """Cut HTML comments, in time that grows with the text however many are begun."""
    kept, place = [], 0
    while (begin := text.find("<!--", place)) >= 0 and (end := text.find("-->", begin)) >= 0:
        cuts.add("markup", text[begin : end + 3])
        kept.append(text[place:begin])
        place = end + 3
    return "".join([*kept, text[place:]]) if kept else text


def _character(entity: re.Match[str], cuts: Cuts) -> str:
    char = html.unescape(entity.group())
    if char == entity.group():
        return char
    cuts.add("markup", entity.group())
    return " " if char == "\xa0" else char


def _unmarked(marked: re.Match[str], cuts: Cuts) -> str:
    cuts.add("markup", "__")
    return marked[1]
