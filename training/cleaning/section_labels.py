"""Section labels of songs: `[Chorus: Singer]`, kept as `[Chorus]`, or dropped by choice.

Knows nothing of files.
"""

import re
from typing import Literal

Labels = Literal["keep", "drop"]
_NAMES = (
    "intro|verse|pre-?chorus|post-?chorus|chorus|hook|refrain|bridge|outro|interlude|break|breakdown"
    "|drop|build|solo|instrumental|skit|spoken|coda|part|segue|strophe|couplet|reprise|final chorus"
)
_LABEL = re.compile(
    rf"^[ \t]*\[[ \t]*(?P<name>(?:{_NAMES})(?:[ \t]+\d{{1,2}}|[ \t]+[ivx]{{1,4}})?)"
    r"(?:[ \t]*[:\-–—(][^\]\n]*)?[ \t]*\][ \t]*(?P<end>\n|\Z)",
    re.MULTILINE | re.IGNORECASE,
)


def with_labels(text: str, labels: Labels) -> str:
    """Write the section labels of a song alike, `[Verse 1]`, without singers; or drop them."""
    if "[" not in text:
        return text
    if labels == "drop":
        return _LABEL.sub("", text).strip("\n")
    return _LABEL.sub(lambda label: f"[{_name(label['name'])}]{label['end']}", text)


def _name(name: str) -> str:
    words = name.split()
    return " ".join([words[0].capitalize(), *words[1:]])
