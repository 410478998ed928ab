"""Lines at the terminal, each printed whole and as it is: no markup, no control characters.

Knows nothing of what they say.
"""

from rich.console import Console
from rich.text import Text

from model.terminal_text import terminal_line


def plain_text(line: str) -> Text:
    """Make a renderable of one line, in which neither brackets nor colons nor escapes count."""
    return Text(terminal_line(line))


def say(console: Console, *lines: str) -> None:
    """Print lines, not folded at the terminal's width."""
    for line in lines:
        console.print(plain_text(line), soft_wrap=True)
