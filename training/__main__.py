"""`python -m training COMMAND`: command line of prepare, train, tune, evaluate and study.

Every field of CorpusOptions, TrainConfig and CellStudyConfig is a flag of the same name. Errors
that a user can mend are one line and exit code 2; what a signal stopped ends with 128 + its
number.
"""

import argparse
import sys
from collections.abc import Sequence

from model.errors import ModelError
from training.process_settings import limit_spinning

limit_spinning()  # before torch is loaded, as the commands do

from training.commands import cell_study, evaluate, prepare, train, tune  # noqa: E402
from training.signals import Interrupted, raise_on_signal  # noqa: E402

COMMANDS = (prepare, train, tune, evaluate, cell_study)


def build_parser() -> argparse.ArgumentParser:
    """Build the argument parser of all commands."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of `python -m training` and return its exit code."""
    args = build_parser().parse_args(argv)
    try:
        with raise_on_signal():
            return int(args.run(args))
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return 128 + stop.number
    except ModelError as error:
        print(f"error: {error}", file=sys.stderr)
    except OSError as error:
        print(f"error: {_in_words(error)}", file=sys.stderr)
    return 2


def _in_words(error: OSError) -> str:
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}"


if __name__ == "__main__":
    sys.exit(main())
