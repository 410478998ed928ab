"""Invisible characters and line ends of a text: dropped and counted, and made LF.

They come from word processors, web pages and damaged files, and a model of characters would learn
them. Joiners stay behind the letters of scripts that need them, and in emoji. Knows nothing of
files and encodings.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

FORM_FEED_LINE = "\n\f\n"

# From the commonest: what a class is called, and its characters.
_DROPPED = (
    ("byte order marks", "\ufeff\ufffe"),
    ("soft hyphens", "\u00ad"),
    ("zero-width characters", "\u180e\u200b\u2060-\u2064"),
    ("direction marks", "\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f"),
    ("NUL characters", "\x00"),
    ("control characters", "\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufff9-\ufffb"),
    ("tag characters", "\U000e0000-\U000e007f"),
    ("lone surrogates", "\ud800-\udfff"),
    ("characters that Unicode has not", "\ufdd0-\ufdef\uffff"),
)
_ANY_DROPPED = re.compile("[{}]".format("".join(chars for _, chars in _DROPPED)))
_CLASSES = tuple((name, re.compile(f"[{chars}]")) for name, chars in _DROPPED)
# Between Latin letters a joiner does nothing; Persian, Indic scripts and emoji are made with it.
_IDLE_JOINER = re.compile("(?:(?<=[\x00-\u02ff])|^)[\u200c\u200d]+", re.MULTILINE)
# CR CR LF is what is left of CRLF that was converted twice.
_LINE_END = re.compile("\r+\n|[\r\x0b\x85\u2028]")
_LINE_ENDS = "\r\x0b\x85\u2028"
_PARAGRAPH_END = "\u2029"
_FORM_FEED = re.compile("\n?\f\n?")


def visible_lines(pieces: Iterable[str], dropped: Counter[str]) -> Iterator[str]:
    """Drop invisible characters and make line ends LF; each piece given is of whole lines.

    Where one that comes in holds no line end it is given as it is, but for its last character.
    What was dropped is counted in `dropped`.
    """
    rest = ""
    for piece in pieces:
        whole = rest + piece
        cut = _cut(whole)
        if cut > 0:
            yield _visible(whole[:cut], dropped)
        rest = whole[cut:]
    if rest:
        yield _visible(rest, dropped)


def visible_line(text: str, max_characters: int) -> str:
    """Make one line of a text, without invisible characters; a longer one ends in three dots."""
    line = " ".join(_visible(text, Counter()).split())
    return line if len(line) <= max_characters else f"{line[: max_characters - 3]}..."


def _cut(text: str) -> int:
    """Find where text may be cut: after its last line end that is surely whole."""
    end = len(text.rstrip("\r\f\n"))
    after = 1 + max(text.rfind(mark, 0, end) for mark in "\n\r\f")
    return after if after > 0 else end - 1  # a joiner looks at what stands before it


def _visible(text: str, dropped: Counter[str]) -> str:
    if not text.isascii() or not text.isprintable():
        text = _with_line_feeds(text)
        if found := Counter(_ANY_DROPPED.findall(text)):
            for name, characters in _CLASSES:
                if count := sum(found[char] for char in found if characters.match(char)):
                    dropped[name] += count
            text = _ANY_DROPPED.sub("", text)
        if "\u200c" in text or "\u200d" in text:
            text, count = _IDLE_JOINER.subn("", text)
            if count:
                dropped["zero-width characters"] += count
    return text


def _with_line_feeds(text: str) -> str:
    if any(mark in text for mark in _LINE_ENDS):
        text = _LINE_END.sub("\n", text)
    text = text.replace(_PARAGRAPH_END, "\n\n")
    return _FORM_FEED.sub(FORM_FEED_LINE, text) if "\f" in text else text
