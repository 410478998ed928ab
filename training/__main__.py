"""`python -m training COMMAND`: command line of text preparation, training and measuring.

Every field of CorpusOptions, TrainConfig and CellStudyConfig is a flag of the same name. Errors
that a user can mend are one line and exit code 2; what a signal stopped ends with 128 + its
number.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module

from model.errors import ModelError
from model.extras import needs_extra
from model.terminal_text import terminal_line
from training.process_settings import limit_spinning
from training.signals import Interrupted, end_process, raise_on_signal
from training.training_errors import is_out_of_memory, os_error_in_words

limit_spinning()  # before torch is loaded, as the commands do

COMMANDS = {
    "inspect-corpus": "training.commands.inspect_corpus",
    "prepare": "training.commands.prepare",
    "train": "training.commands.train",
    "words": "training.commands.words",
    "copies": "training.commands.copies",
    "tune": "training.commands.tune",
    "evaluate": "training.commands.evaluate",
    "study": "training.commands.cell_study",
}


def build_parser(names: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Build the argument parser of the commands `names`, whose modules it imports."""
    parser = argparse.ArgumentParser(prog="strophe", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in names:
        import_module(COMMANDS[name]).add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command of `python -m training` and return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    # Importing only the command that runs saves a second: Optuna, redis and plots are not free.
    names = words[:1] if words and words[0] in COMMANDS else COMMANDS
    try:
        with needs_extra("train"):
            args = build_parser(names).parse_args(words)
            with raise_on_signal():
                return int(args.run(args))
    except Interrupted as stop:
        print(stop, file=sys.stderr)
        return 128 + stop.number
    except ModelError as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
    except OSError as error:
        print(f"error: {terminal_line(os_error_in_words(error))}", file=sys.stderr)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = str(error).strip().partition("\n")[0]
        print(f"error: out of memory ({terminal_line(reason)})", file=sys.stderr)
    return 2


if __name__ == "__main__":
    end_process(main())
