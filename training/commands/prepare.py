"""`python -m training prepare`: tokenizes texts into a folder of ids, once for many runs."""

import argparse
from pathlib import Path

from rich.console import Console

from training.commands.flags import Commands, add_flags, given_fields
from training.data.corpus import prepare
from training.data.corpus_options import CorpusOptions, options_of
from training.data.corpus_report import corpus_lines
from training.terminal_output import say
from training.train_config import TrainConfig


def add(commands: Commands) -> None:
    """Declare the `prepare` command and its flags."""
    parser = commands.add_parser("prepare", help="turn texts into memory-mapped token ids")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    corpus_fields = {name: TrainConfig.model_fields[name] for name in ("corpus", "valid_corpus")}
    add_flags(parser, {**corpus_fields, **CorpusOptions.model_fields})
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write a prepared corpus and print its manifest."""
    options = options_of(given_fields(args, CorpusOptions.model_fields))
    names = args.corpus if args.corpus is not None else TrainConfig.model_fields["corpus"].default
    valid_names = args.valid_corpus or ()
    corpus = prepare(names, args.out, options, valid_names=valid_names)
    say(Console(stderr=True), *corpus_lines((*names, *valid_names), corpus))
    print(corpus.manifest.model_dump_json(indent=2))
    return 0
