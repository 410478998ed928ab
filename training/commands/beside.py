"""Files beside a finished checkpoint, made from its training text: flags, provenance, card.

Shared by the commands `words` and `copies`.
"""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from model import checkpoint as checkpoints
from model.checkpoint import LoadedCheckpoint
from model.description import Facts
from model.extra_files import ExtraFile
from training.commands.flags import Commands, add_flags, given_fields
from training.data.corpus_options import READING_OPTIONS, CorpusOptions, options_of
from training.data.training_text import TrainingText, training_text
from training.provenance import CORPUS_HASH, CORPUS_LENGTH
from training.run_report import with_facts
from training.terminal_output import say
from training.train_config import TrainConfig

TEXT_OPTIONS = (*READING_OPTIONS, "split", "valid_fraction", "by_author")


def add_command(commands: Commands, name: str, meaning: str) -> argparse.ArgumentParser:
    """Declare a command that takes a checkpoint and the texts that it was trained on."""
    parser = commands.add_parser(name, help=meaning)
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder")
    fields = {name: TrainConfig.model_fields[name] for name in ("corpus", "valid_corpus")}
    options = {name: CorpusOptions.model_fields[name] for name in TEXT_OPTIONS}
    add_flags(parser, {**fields, **options})
    return parser


@contextmanager
def loaded_with_text(args: argparse.Namespace) -> Iterator[tuple[LoadedCheckpoint, TrainingText]]:
    """Context of the checkpoint and the training text that the flags name."""
    options = options_of(given_fields(args, TEXT_OPTIONS))
    names = args.corpus if args.corpus is not None else TrainConfig.model_fields["corpus"].default
    loaded = checkpoints.load(args.checkpoint)
    with training_text(names, args.valid_corpus or (), options) as text:
        yield loaded, text


def put_beside(
    folder: Path,
    loaded: LoadedCheckpoint,
    text: TrainingText,
    made: tuple[ExtraFile, bytes],
    facts: Facts,
) -> None:
    """Put a file that was made of `text` into a checkpoint's folder, and its facts on the card.

    Warns where it is not the text that the checkpoint was trained on, which the card tells too.
    """
    name, content = made
    console = Console(stderr=True)
    found: Facts = {CORPUS_HASH: text.store.text_sha256, CORPUS_LENGTH: text.characters}
    trained_on = loaded.description.provenance
    others = {key: fact if fact != trained_on.get(key) else None for key, fact in found.items()}
    if any(fact is not None for fact in others.values()):
        say(console, "warning: this is not the text that it was trained on, or another split of it")
    told: Facts = {**facts, **{f"{name} from {key}": fact for key, fact in others.items()}}
    card = with_facts(loaded.card, told)
    checkpoints.add_file(folder, name, content, facts=told, card=card)
    shown = ", ".join(f"{fact:,} {key}" for key, fact in facts.items())
    say(console, f"{folder / name}: {shown}; {len(content):,} bytes")
