"""`python -m training evaluate`: how well a checkpoint predicts a text, as a table or JSON."""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from model import checkpoint as checkpoints
from model.device import resolve_device
from model.scoring import Score
from training.commands.flags import Commands, add_flags, given_fields
from training.config import TrainConfig
from training.corpus import CorpusOptions, options_of
from training.evaluation import Evaluation, cold_window_nats, measure


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("evaluate", help="measure a checkpoint on a text")
    parser.add_argument("--checkpoint", type=Path, required=True, help="folder")
    names = ("document_separator", "split")
    options = {name: CorpusOptions.model_fields[name] for name in names}
    add_flags(parser, {"corpus": TrainConfig.model_fields["corpus"], **options})
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--per-document", action="store_true", help="list every document")
    parser.add_argument("--cold-window", type=int, help="also over cold windows of N tokens")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print how well a checkpoint predicts a text."""
    loaded = checkpoints.load(args.checkpoint, resolve_device(args.device))
    names = args.corpus if args.corpus is not None else TrainConfig.model_fields["corpus"].default
    result = measure(loaded, names, options_of(given_fields(args, CorpusOptions.model_fields)))
    facts: dict[str, object] = {
        **_numbers(result.total),
        "documents": len(result.documents),
        "unknown_tokens": result.unknown_tokens,
    }
    if args.cold_window is not None:
        facts["cold_window_nats"] = cold_window_nats(loaded.network, result.ids, args.cold_window)
    if args.json:
        if args.per_document:
            facts["per_document"] = [
                {"title": document.title, **_numbers(document.score)}
                for document in result.documents
            ]
        print(json.dumps(facts))
    else:
        _print_tables(facts, result if args.per_document else None)
    return 0


def _numbers(score: Score) -> dict[str, float | int]:
    return {
        "nats_per_character": score.nats_per_character,
        "bits_per_character": score.bits_per_character,
        "perplexity": score.perplexity,
        "characters": score.characters,
    }


def _print_tables(facts: dict[str, object], result: Evaluation | None) -> None:
    console = Console()
    summary = Table(show_header=False)
    for name, value in facts.items():
        shown = f"{value:.4f}" if isinstance(value, float) else f"{value:,}"
        summary.add_row(name.replace("_", " "), shown)
    console.print(summary)
    if result is None:
        return
    by_document = Table("document", "characters", "bits per character")
    for document in result.documents:
        bits = f"{document.score.bits_per_character:.4f}"
        # As Text: square brackets in a title are not markup.
        by_document.add_row(Text(document.title), f"{document.score.characters:,}", bits)
    console.print(by_document)
