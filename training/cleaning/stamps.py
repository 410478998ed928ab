"""Time stamps of LRC files and subtitles, and LRC's tags, of which some tell title and artist.

Knows nothing of files.
"""

import re

from training.cleaning.cuts import Cuts

_STAMP = re.compile(r"[\[<]\d{1,3}:\d{2}(?:[.:]\d{1,3})?[\]>][ \t]?")
_TAG = re.compile(
    r"^[ \t]*\[(ar|ti|al|au|by|lr|offset|length|re|tool|ve|#):(.*)\][ \t]*\n?", re.M | re.I
)
_SUBTITLE = re.compile(
    r"^(?:\d+[ \t]*\n)?\d{1,2}:\d{2}:\d{2}[,.]\d{1,3} --> \d{1,2}:\d{2}:\d{2}[,.]\d{1,3}.*\n?", re.M
)
FACTS = {"ti": "title", "ar": "author"}


def cut_time_stamps(text: str, cuts: Cuts, facts: dict[str, str]) -> str:
    """Cut time stamps and tags; what the tags tell of title and author goes to `facts`."""
    if " --> " in text:
        text = cuts.cut("time-stamps", _SUBTITLE, text)
    if ("[" not in text and "<" not in text) or _STAMP.search(text) is None:
        return text
    for tag in _TAG.finditer(text):
        name, value = FACTS.get(tag[1].lower()), tag[2].strip()
        if name is not None and value:
            facts.setdefault(name, value)
    text = cuts.cut("time-stamps", _TAG, text)
    return cuts.cut("time-stamps", _STAMP, text).strip("\n")
