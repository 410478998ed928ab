"""`python -m service`: serves checkpoints until told to stop; settings are environment variables.

A setting that is wrong ends the start with one line and exit code 2, a port that is taken with
one line and exit code 1.
"""

import argparse
import sys
from collections.abc import Sequence

from model.errors import ModelError
from model.extras import MissingExtraError, needs_extra
from model.terminal_text import terminal_line


def build_parser() -> argparse.ArgumentParser:
    """Build the argument parser: of no flags, since all that can be set are variables."""
    parser = argparse.ArgumentParser(
        prog="strophe", description="Serve checkpoints over HTTP. Settings are variables STROPHE_*."
    )
    parser.add_argument("command", nargs="?", choices=["serve"], help="may be left out")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until told to stop; returns the exit code."""
    build_parser().parse_args(argv)
    try:
        with needs_extra("serve"):
            from service.server.start import PortTakenError, serve  # noqa: PLC0415
    except MissingExtraError as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 2
    try:
        serve()
    except ModelError as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 2
    except PortTakenError as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
