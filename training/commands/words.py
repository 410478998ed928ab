"""`python -m training words`: makes the word list of a checkpoint that was trained without one."""

import argparse
from pathlib import Path

from rich.console import Console

from model import checkpoint as checkpoints
from model.checkpoint import Facts
from model.extra_files import WORDS
from training.commands.flags import Commands, add_flags, given_fields
from training.data.corpus_options import CorpusOptions, options_of
from training.data.training_text import training_text
from training.data.word_associations import word_list_of
from training.provenance import CORPUS_HASH, CORPUS_LENGTH, WORDS_KEPT
from training.run_report import with_facts
from training.terminal_output import say
from training.train_config import TrainConfig

SPLIT_OPTIONS = ("document_separator", "split", "valid_fraction")


def add(commands: Commands) -> None:
    """Declare the `words` command and its flags."""
    parser = commands.add_parser("words", help="make the word list of a finished checkpoint")
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder")
    fields = {name: TrainConfig.model_fields[name] for name in ("corpus", "valid_corpus")}
    options = {name: CorpusOptions.model_fields[name] for name in SPLIT_OPTIONS}
    add_flags(parser, {**fields, **options})
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the word list of the training text, and put it into the checkpoint's folder."""
    options = options_of(given_fields(args, SPLIT_OPTIONS))
    names = args.corpus if args.corpus is not None else TrainConfig.model_fields["corpus"].default
    console = Console(stderr=True)
    checkpoint = checkpoints.load(args.checkpoint)
    with training_text(names, args.valid_corpus or (), options) as text:
        words = word_list_of(text.texts())
        found: Facts = {CORPUS_HASH: text.store.text_sha256, CORPUS_LENGTH: text.characters}
    trained_on = checkpoint.description.provenance
    others = {name: fact if fact != trained_on.get(name) else None for name, fact in found.items()}
    facts: Facts = {
        WORDS_KEPT: len(words.words),
        **{f"words from {name}": fact for name, fact in others.items()},
    }
    if any(fact is not None for fact in others.values()):
        say(console, "warning: this is not the text that it was trained on, or another split of it")
    card = with_facts(checkpoint.card, facts)
    checkpoints.add_file(args.checkpoint, WORDS, words.serialized, facts=facts, card=card)
    size = len(words.serialized)
    say(console, f"{args.checkpoint / WORDS}: {len(words.words):,} words, {size:,} bytes")
    return 0
