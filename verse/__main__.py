"""`python -m verse write | check`: a poem at the terminal, written in a form or checked.

Errors that a user can mend are one line and exit code 2; a form that is not kept is exit code 1,
and so is one for which no line was found.
"""

import argparse
import io
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

from model.errors import ModelError
from model.terminal_text import terminal_line

COMMANDS = {"write": "verse.commands.write", "check": "verse.commands.check"}


def build_parser(names: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Argument parser of the commands `names`, whose modules it imports."""
    parser = argparse.ArgumentParser(prog="strophe", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in names:
        import_module(COMMANDS[name]).add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    words = sys.argv[1:] if argv is None else argv
    # `check` needs no network, so it does not wait for torch.
    args = build_parser(words[:1] if words and words[0] in COMMANDS else COMMANDS).parse_args(words)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has not all characters
    try:
        return int(args.run(args))
    except (ModelError, OSError) as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
