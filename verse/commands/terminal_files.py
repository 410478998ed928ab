"""Files and output of the commands: a text or a form from a file, JSON, what a terminal is shown.

Knows nothing of what is done with them.
"""

import json
import sys
from pathlib import Path

from model.errors import ParameterError
from model.terminal_text import terminal_text
from verse.forms import PoemSpec


def spec_of(path: Path) -> PoemSpec:
    """Form that a JSON file describes."""
    try:
        return PoemSpec.checked(json.loads(read_text("spec", path)))
    except json.JSONDecodeError as error:
        problem = f"{path} is not JSON at line {error.lineno}: {error.msg}"
        raise ParameterError("spec", problem) from error


def read_text(field: str, path: Path) -> str:
    """Text of a UTF-8 file, or of standard input for `-`. Raises ParameterError for other bytes."""
    raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(field, f"{path} is not UTF-8 at byte {error.start}") from error


def json_text(fields: dict[str, object]) -> str:
    """Fields as JSON that can be read."""
    return json.dumps(fields, ensure_ascii=False, indent=2) + "\n"


def shown(text: str) -> str:
    """Text as it is for a file or another program; for a terminal without control characters."""
    return terminal_text(text) if sys.stdout.isatty() else text
