"""`python -m training copies`: makes the index that finds what is copied from the training text."""

import argparse

from model.extra_files import COPIES
from training.commands.beside import add_command, loaded_with_text, put_beside
from training.commands.flags import Commands
from training.data.copy_indexing import copy_index_of


def add(commands: Commands) -> None:
    """Declare the `copies` command and its flags."""
    parser = add_command(commands, "copies", "make the copy index of a finished checkpoint")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the copy index of the training text, and put it into the checkpoint's folder."""
    with loaded_with_text(args) as (loaded, text):
        index = copy_index_of(text.stored_texts())
        facts = {"letters indexed": index.letters, "documents indexed": index.documents}
        put_beside(args.checkpoint, loaded, text, (COPIES, index.serialized), {**facts})
    return 0
