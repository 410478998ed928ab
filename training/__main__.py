"""`python -m training prepare | train | evaluate`: texts at the terminal.

Every field of CorpusOptions and TrainConfig is a flag of the same name. Errors that a user can
mend are one line and exit code 2; what a signal stopped ends with 128 + its number.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_origin

from pydantic.fields import FieldInfo
from rich.console import Console
from rich.table import Table
from rich.text import Text

from model import checkpoint as checkpoints
from model.device import resolve_device
from model.errors import ModelError, ParameterError
from model.scoring import Score
from training.config import TrainConfig, preset_names, resolve
from training.corpus import CorpusOptions, options_of, prepare
from training.errors import RunError
from training.evaluation import Evaluation, cold_window_nats, measure
from training.run import Outcome, resume, start
from training.runfolder import resume_flags
from training.signals import Interrupted, interrupting


def build_parser() -> argparse.ArgumentParser:
    """The commands and their flags."""
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    ready = commands.add_parser("prepare", help="turn texts into memory-mapped token ids")
    ready.add_argument("--out", type=Path, required=True, help="folder to write")
    corpus_fields = {name: TrainConfig.model_fields[name] for name in ("corpus", "valid_corpus")}
    _add_flags(ready, {**corpus_fields, **CorpusOptions.model_fields})
    ready.set_defaults(run=run_prepare)

    train = commands.add_parser("train", help="train a checkpoint")
    train.add_argument("--resume", action="store_true", help="go on with the run called --name")
    train.add_argument("--preset", default=None, help=f"one of {', '.join(preset_names())}")
    fields = {name: f for name, f in TrainConfig.model_fields.items() if name != "preset"}
    _add_flags(train, fields)
    train.set_defaults(run=run_train)

    measure = commands.add_parser("evaluate", help="measure a checkpoint on a text")
    measure.add_argument("--checkpoint", type=Path, required=True, help="folder")
    names = ("document_separator", "split")
    options = {name: CorpusOptions.model_fields[name] for name in names}
    _add_flags(measure, {"corpus": TrainConfig.model_fields["corpus"], **options})
    measure.add_argument("--json", action="store_true", help="print one JSON object")
    measure.add_argument("--per-document", action="store_true", help="list every document")
    measure.add_argument("--cold-window", type=int, help="also over cold windows of N tokens")
    measure.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    measure.set_defaults(run=run_evaluate)
    return parser


def _add_flags(parser: argparse.ArgumentParser, fields: dict[str, FieldInfo]) -> None:
    """A flag a field; values stay text, so that one validation gives one kind of error."""
    for name, field in fields.items():
        flag = "--" + name.replace("_", "-")
        if field.annotation is bool:
            action = argparse.BooleanOptionalAction
            parser.add_argument(flag, action=action, default=None, help=field.description)
        else:
            count = "+" if get_origin(field.annotation) is tuple else None
            parser.add_argument(flag, nargs=count, default=None, help=field.description)


def _given(args: argparse.Namespace, names: Iterable[str]) -> dict[str, object]:
    """The fields that the command line names."""
    values = {name: getattr(args, name, None) for name in names}
    given = {name: value for name, value in values.items() if value is not None}
    if isinstance(separator := given.get("document_separator"), str):
        # A shell cannot easily write a line end: \n stands for one.
        given["document_separator"] = separator.replace("\\n", "\n")
    return given


def run_prepare(args: argparse.Namespace) -> int:
    """Write a prepared corpus and print its manifest."""
    options = options_of(_given(args, CorpusOptions.model_fields))
    names = args.corpus if args.corpus is not None else TrainConfig.model_fields["corpus"].default
    corpus = prepare(names, args.out, options, valid_names=args.valid_corpus or ())
    print(corpus.manifest.model_dump_json(indent=2))
    return 0


def run_train(args: argparse.Namespace) -> int:
    """Train, or go on with a run."""
    console = Console(stderr=True)
    given = _given(args, TrainConfig.model_fields.keys() - {"preset"})
    if args.resume:
        outcome = resume(_run_to_resume(args, given), console)
    else:
        outcome = start(resolve(args.preset if args.preset is not None else "tiny", given), console)
    return _told(outcome, console)


def _run_to_resume(args: argparse.Namespace, given: dict[str, object]) -> Path:
    others = sorted(given.keys() - {"name", "runs_dir"})
    if args.preset is not None:
        others.append("preset")
    if others:
        flags = ", ".join("--" + name.replace("_", "-") for name in others)
        raise RunError(f"--resume goes on with a run as it was begun; leave out {flags}")
    if args.name is None:
        raise ParameterError("name", "--resume needs the --name of the run")
    default = TrainConfig.model_fields["runs_dir"].default
    return Path(args.runs_dir if args.runs_dir is not None else default) / str(args.name)


def _told(outcome: Outcome, console: Console) -> int:
    def say(line: str) -> None:
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    if outcome.stopped_by is None:
        say(f"done: {outcome.checkpoint}")
        return 0
    flags = resume_flags(outcome.folder)
    say(f"stopped; go on with: python -m training train {flags}")
    return 128 + outcome.stopped_by


def run_evaluate(args: argparse.Namespace) -> int:
    """Print how well a checkpoint predicts a text."""
    loaded = checkpoints.load(args.checkpoint, resolve_device(args.device))
    names = args.corpus if args.corpus is not None else TrainConfig.model_fields["corpus"].default
    result = measure(loaded, names, options_of(_given(args, CorpusOptions.model_fields)))
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


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    args = build_parser().parse_args(argv)
    try:
        with interrupting():
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
