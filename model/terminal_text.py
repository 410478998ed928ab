r"""Text made safe for a terminal: control characters, which could steer it, are shown as `\x1b`.

What a checkpoint's card, a generated text, a file's name or an error says may come from anyone.
"""

import re

# All of Unicode's control characters, and lone surrogates, which no encoding has.
_UNSAFE_IN_LINE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSAFE = re.compile(rf"(?![\n\t]){_UNSAFE_IN_LINE.pattern}")


def terminal_text(text: str) -> str:
    """Escape the control characters of a text of several lines, but for newline and tab."""
    return _UNSAFE.sub(_escaped, text.replace("\r\n", "\n"))


def terminal_line(text: str) -> str:
    """Escape all control characters of what is to be one line."""
    return _UNSAFE_IN_LINE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
