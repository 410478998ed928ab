"""Console command `strophe COMMAND`: hands over to the package that the command belongs to.

Runs that package and no other, since each has dependencies that the others do without. It lies
beside the packages, not in one of them: it knows them all, and nobody imports it.
"""

import argparse
import runpy
import sys

from service.version import installed_version

# As each package's own parser says it, which only that package's dependencies can build.
COMMANDS = {
    "serve": ("service", "serve checkpoints over HTTP"),
    "generate": ("model", "stream text to the terminal"),
    "score": ("model", "bits per character of a text"),
    "describe": ("model", "print the card and shapes"),
    "write": ("verse", "write a poem that keeps a form"),
    "check": ("verse", "check a poem against a form, or see what form it has"),
    "copied": ("model", "find what of a text stands in the training text"),
    "export": ("model", "write a checkpoint as others expect it"),
    "inspect-corpus": ("training", "look at texts before training"),
    "prepare": ("training", "turn texts into memory-mapped token ids"),
    "train": ("training", "train a checkpoint"),
    "words": ("training", "make the word list of a finished checkpoint"),
    "copies": ("training", "make the copy index of a finished checkpoint"),
    "tune": ("training", "search for fields by many short runs"),
    "evaluate": ("training", "measure a checkpoint on a text"),
    "study": ("training", "compare rnn, gru and lstm, and plot why"),
}


def build_parser() -> argparse.ArgumentParser:
    """Build the parser that lists the commands; the flags of each are its package's to read."""
    parser = argparse.ArgumentParser(
        prog="strophe",
        description="Character language models for verse: trained, written with, served.",
    )
    parser.add_argument("--version", action="version", version=installed_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (_, purpose) in COMMANDS.items():
        commands.add_parser(name, help=purpose)
    return parser


def main() -> None:
    """Run one command as `python -m PACKAGE COMMAND` does, to the end of the process."""
    command = next(iter(sys.argv[1:]), "")
    if command not in COMMANDS:
        build_parser().parse_args()  # says what there is, and ends
    package, _ = COMMANDS[command]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
