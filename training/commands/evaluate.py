"""`python -m training evaluate`: perplexity and text statistics of a checkpoint.

The figures go to the terminal, as tables or JSON, and where asked for to a folder, as both.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from model import checkpoint as checkpoints
from model.atomic_write import write_file
from model.device import resolve_device
from model.errors import ParameterError
from model.scoring import Score
from model.stores.mirror import local_folder
from training.commands.flags import Commands, add_flags, add_switched, given_fields, switched
from training.commands.tables import grids_of, markdown, print_grids
from training.data.corpus_options import READING_OPTIONS, CorpusOptions, options_of
from training.data.corpus_report import outward_link_lines
from training.data.unknown_characters import WARNED_SHARE, share_in_words
from training.evaluation.comparison import ComparisonOptions, Side, compare, training_text_of
from training.evaluation.cross_entropy import Evaluation, cold_window_nats, evaluate_checkpoint
from training.evaluation.dynamic_evaluation import DynamicOptions, dynamic_score
from training.evaluation.text_samples import decoded_texts
from training.evaluation.title_effect import TitleOptions, title_effect
from training.terminal_output import say
from training.train_config import TrainConfig

MAX_ROWS = 1024


def add(commands: Commands) -> None:
    """Declare the `evaluate` command and its flags."""
    parser = commands.add_parser("evaluate", help="measure a checkpoint on a text")
    parser.add_argument(
        "--checkpoint",
        required=True,
        help="folder, name of a model that ships, or address such as s3://bucket/folder",
    )
    names = (*READING_OPTIONS, "split")
    options = {name: CorpusOptions.model_fields[name] for name in names}
    add_flags(parser, {"corpus": TrainConfig.model_fields["corpus"], **options})
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--out", type=Path, help="folder for evaluation.json and evaluation.md")
    parser.add_argument("--per-document", action="store_true", help="list every document")
    meaning = "read the text in N pieces side by side: faster, the same figure to 1e-4"
    parser.add_argument("--rows", type=int, default=1, metavar="N", help=meaning)
    parser.add_argument("--cold-window", type=int, help="also over cold windows of N tokens")
    add_switched(parser, "dynamic", DynamicOptions, "also with weights that go on learning")
    add_switched(parser, "form", ComparisonOptions, "also the form of what it writes")
    add_switched(parser, "titles", TitleOptions, "also what poems gain by their own title")
    meaning = "for --form, the text it was trained on; default: that of a prepared --corpus"
    parser.add_argument("--training-text", nargs="+", default=(), help=meaning)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate a checkpoint on a text, and print or write the figures."""
    if args.out is not None:
        args.out.mkdir(parents=True, exist_ok=True)  # what cannot be written ends it now
    facts = _facts(args)
    grids = grids_of(facts)
    if args.out is not None:
        title = f"Evaluation of {Path(args.checkpoint).resolve().name}"
        write_file(args.out / "evaluation.json", json.dumps(facts, indent=2) + "\n")
        write_file(args.out / "evaluation.md", markdown(title, grids))
    if args.json:
        print(json.dumps(facts))
    else:
        print_grids(grids, Console())
    return 0


def _facts(args: argparse.Namespace) -> dict[str, object]:
    dynamic = switched(args, "dynamic", DynamicOptions)
    form = switched(args, "form", ComparisonOptions)
    titles = switched(args, "titles", TitleOptions)
    if form is None and args.training_text:
        raise ParameterError("training_text", "says nothing without --form")
    if not 1 <= args.rows <= MAX_ROWS:
        raise ParameterError("rows", f"must be 1 to {MAX_ROWS}, got {args.rows}")
    options = options_of(given_fields(args, CorpusOptions.model_fields))
    names = args.corpus if args.corpus is not None else TrainConfig.model_fields["corpus"].default
    # Read first: it may not be there, and the rest takes minutes.
    source = training_text_of(args.training_text, names, options) if form is not None else ""
    loaded = checkpoints.load(local_folder(args.checkpoint), resolve_device(args.device))
    result = evaluate_checkpoint(loaded, names, options, rows=args.rows)
    say(Console(stderr=True), *outward_link_lines(names), *_unknown(result))
    facts: dict[str, object] = {
        **_numbers(result.total),
        "documents": len(result.documents),
        "unknown_tokens": result.unknown_tokens,
    }
    if args.cold_window is not None:
        facts["cold_window_nats"] = cold_window_nats(loaded.network, result.ids, args.cold_window)
    if dynamic is not None:
        score = dynamic_score(loaded.network, result.ids, result.total.characters, dynamic)
        facts["dynamic_nats_per_character"] = score.nats_per_character
        facts["dynamic_bits_per_character"] = score.bits_per_character
    if titles is not None:
        facts |= _title_facts(loaded, result, titles)
    if args.per_document:
        facts["per_document"] = _by_document(result)
    if form is not None:
        compared = compare(loaded, result, source, form)
        sides = {"generated": compared.generated, "held_out": compared.held_out}
        facts["form"] = {name: _figures(side) for name, side in sides.items()}
    return facts


def _title_facts(
    loaded: checkpoints.Checkpoint, result: Evaluation, options: TitleOptions
) -> dict[str, object]:
    texts = decoded_texts(loaded.tokenizer, result.ids, has_documents=bool(result.documents))
    effect = title_effect(loaded.network, loaded.tokenizer, texts, options)
    return {
        "titled_poems": effect.poems,
        "own_title_bits_per_character": effect.own.bits_per_character,
        "another_title_bits_per_character": effect.another.bits_per_character,
        "no_title_bits_per_character": effect.none.bits_per_character,
        "likelier_under_own_title": effect.likelier_under_own,
    }


def _unknown(result: Evaluation) -> Iterator[str]:
    if result.unknown_share > WARNED_SHARE:
        what = share_in_words(result.unknown_share, result.unknown_characters, "to evaluate")
        yield f"warning: {what}; each is measured as <unk>"


def _by_document(result: Evaluation) -> list[dict[str, object]]:
    return [{"title": document.title, **_numbers(document.score)} for document in result.documents]


def _figures(side: Side) -> dict[str, object]:
    return {**asdict(side.statistics), "copied": asdict(side.memorization)}


def _numbers(score: Score) -> dict[str, float | int]:
    return {
        "nats_per_character": score.nats_per_character,
        "bits_per_character": score.bits_per_character,
        "perplexity": score.perplexity,
        "characters": score.characters,
    }
