"""`python -m training words`: makes the word list of a checkpoint that was trained without one."""

import argparse

from model.extra_files import WORDS
from training.commands.beside import add_command, loaded_with_text, put_beside
from training.commands.flags import Commands
from training.data.word_associations import word_list_of
from training.provenance import WORDS_KEPT


def add(commands: Commands) -> None:
    """Declare the `words` command and its flags."""
    parser = add_command(commands, "words", "make the word list of a finished checkpoint")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the word list of the training text, and put it into the checkpoint's folder."""
    with loaded_with_text(args) as (loaded, text):
        words = word_list_of(text.texts())
        facts = {WORDS_KEPT: len(words.words)}
        put_beside(args.checkpoint, loaded, text, (WORDS, words.serialized), {**facts})
    return 0
