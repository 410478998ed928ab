"""Hints at what parts the poems of a text: single blank lines, and rules such as `---`.

For a corpus in which the document separator was not found. Knows nothing of files.
"""

import re
from collections import Counter

from model.count_in_words import counted

_BLANK_LINES = re.compile(r"[^\n]\n\n(?=[^\n])")
_RULE = re.compile(r"^[ \t]*([-*=_~#+.%])(?:[ \t]*\1){2,}[ \t]*$|^%%$", re.MULTILINE)


def separator_hints(text: str, separator: str | None) -> list[str]:
    """Count what might part the poems of `text` beside `separator`, and say how to name it."""
    found = []
    if separator != "\n\n" and (blank := len(_BLANK_LINES.findall(text))):
        found.append((counted(blank, "single blank line"), "\n\n"))
    rules = Counter(match.group() for match in _RULE.finditer(text))
    for rule, count in rules.most_common(1):
        found.append((f"{counted(count, 'line')} {rule!r}", f"\n{rule}\n"))
    return [f"it has {lines}: if poems end there, give {_flag(parts)}" for lines, parts in found]


def _flag(separator: str) -> str:
    return "--document-separator '{}'".format(separator.replace("\n", "\\n"))
