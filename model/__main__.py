"""`python -m model generate | score | describe | copied | export`: a checkpoint at the terminal.

Knows nothing of HTTP and training. Errors that a user can mend are one line and exit code 2; a text
that copies too much is exit code 1.
"""

import argparse
import io
import os
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, get_args

import torch

from model import checkpoint as checkpoints
from model import pretrained
from model.checkpoint import Checkpoint
from model.copies.copy_report import CopyLimits, copy_report
from model.count_in_words import counted
from model.decoding.decoder import decoder_of
from model.decoding.reference_driver import generate
from model.device import resolve_device
from model.errors import ModelError, ParameterError
from model.export import export_for_hub
from model.parameters import BackendName, SamplingParams
from model.scoring import Score, surprisals
from model.stores.mirror import local_folder
from model.terminal_text import terminal_line, terminal_text
from model.tokenizer import BOS_ID, UNK_ID
from model.weights_file import Precision, distinct_weights

# argparse gives what `add_subparsers` returns no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def build_parser() -> argparse.ArgumentParser:
    """Argument parser of the commands; their sampling flags come from SamplingParams."""
    parser = argparse.ArgumentParser(prog="strophe", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--checkpoint",
        default=str(pretrained.DEFAULT),
        help="folder, name of a model that ships, or address such as s3://bucket/folder; "
        "default: verse",
    )
    common.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")

    write = commands.add_parser("generate", parents=[common], help="stream text to the terminal")
    write.add_argument("--prompt", default="", help="the text to continue; - reads standard input")
    for name, field in SamplingParams.model_fields.items():
        flag = "--" + name.replace("_", "-")
        kind = _FLAG_TYPES.get(name, float)
        if name in ("stop", "avoid"):
            write.add_argument(flag, action="append", default=None, help=field.description)
        elif name == "logit_bias":
            write.add_argument(
                flag, action="append", type=_bias, metavar="CHAR=BIAS", help=field.description
            )
        elif name != "logprobs":
            write.add_argument(flag, type=kind, default=None, help=field.description)
    write.add_argument(
        "--path",
        choices=get_args(BackendName),
        default="auto",
        help="arithmetic: auto takes int8 where it can be had, else fp32",
    )
    write.set_defaults(run=run_generate)

    score = commands.add_parser("score", parents=[common], help="bits per character of a text")
    score.add_argument("text", type=Path, help="a UTF-8 text file; - reads standard input")
    score.set_defaults(run=run_score)

    describe = commands.add_parser("describe", parents=[common], help="print the card and shapes")
    describe.set_defaults(run=run_describe)
    _add_copied(commands, common)
    _add_export(commands, common)
    return parser


def _add_copied(commands: Commands, common: argparse.ArgumentParser) -> None:
    copied = commands.add_parser(
        "copied", parents=[common], help="find what of a text stands in the training text"
    )
    copied.add_argument("text", type=Path, help="a UTF-8 text file; - reads standard input")
    for name, field in CopyLimits.model_fields.items():
        flag = "--" + name.replace("_", "-")
        copied.add_argument(flag, type=int, default=field.default, help=field.description)
    copied.set_defaults(run=run_copied)


def _add_export(commands: Commands, common: argparse.ArgumentParser) -> None:
    export = commands.add_parser(
        "export", parents=[common], help="write a checkpoint as others expect it"
    )
    export.add_argument(
        "--to", choices=["hf-folder"], required=True, help="a folder to upload to the Hub"
    )
    export.add_argument("--out", type=Path, required=True, help="the folder to write")
    export.add_argument("--name", help="what the card calls it; default: the folder's name")
    export.add_argument(
        "--license", required=True, help="id of its licence, as the Hub has it: cc0-1.0"
    )
    export.add_argument(
        "--language", action="append", help="id of a language of its text; default: en"
    )
    export.add_argument(
        "--precision",
        choices=get_args(Precision),
        help="of its weights; int8: half of bf16, and the same texts; default: as they are",
    )
    export.set_defaults(run=run_export)


_INTEGERS = ("max_tokens", "min_tokens", "top_k", "penalty_window", "seed")
_ENDS = ("max_lines", "max_stanzas", "soft_end")
_FLAG_TYPES: dict[str, type] = dict.fromkeys((*_INTEGERS, *_ENDS), int)


def _bias(text: str) -> tuple[str, float]:
    character, _, value = text.rpartition("=")
    try:
        return character, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be CHAR=BIAS, got {text!r}") from None


def run_generate(args: argparse.Namespace) -> None:
    """Run `generate`: stream a continuation of the prompt to standard output."""
    given = {name: getattr(args, name, None) for name in SamplingParams.model_fields}
    fields = {name: value for name, value in given.items() if value is not None}
    if "logit_bias" in fields:
        fields["logit_bias"] = dict(fields["logit_bias"])
    params = SamplingParams.checked(**fields).with_seed()
    loaded = _load(args)
    decoder = decoder_of(loaded.network, args.path)
    prompt = _read_text("prompt", Path("-")) if args.prompt == "-" else args.prompt
    if num_unknown := loaded.tokenizer.encode_prompt(prompt).num_unknown:
        unknown = counted(num_unknown, "character")
        are = "is" if num_unknown == 1 else "are"
        print(f"{unknown} of the prompt {are} unknown to this model", file=sys.stderr)
    for piece in generate(decoder, loaded.tokenizer, prompt, params):
        # A file or another program gets the text as it is.
        shown = terminal_text(piece.text) if sys.stdout.isatty() else piece.text
        print(shown, end="", flush=True)
    print()
    if args.seed is None:
        print(f"seed {params.seed}", file=sys.stderr)


def run_score(args: argparse.Namespace) -> None:
    """Run `score`: print bits per character and perplexity of a text."""
    text = _read_text("text", args.text).replace("\r\n", "\n")
    text = unicodedata.normalize("NFC", text)  # as training reads it
    if not text:
        raise ParameterError("text", f"{args.text} is empty, there is nothing to score")
    loaded = _load(args)
    ids = [BOS_ID, *loaded.tokenizer.encode(text)]
    losses, _ = surprisals(loaded.network, torch.tensor([ids]))
    score = Score(nats=float(losses.double().sum()), characters=len(text))
    print(f"{score.bits_per_character:.4f} bits per character")
    print(f"{score.nats_per_character:.4f} nats per character")
    print(f"{score.perplexity:.3f} perplexity by character")
    print(f"{counted(score.characters, 'character')}, {ids.count(UNK_ID)} unknown to this model")


def run_describe(args: argparse.Namespace) -> None:
    """Run `describe`: print the card, the vocabulary and the shape of every weight."""
    loaded = _load(args)
    print(terminal_text(loaded.card).rstrip())
    print(f"\nVocabulary: {loaded.tokenizer.vocab_size} tokens ({loaded.tokenizer.kind})")
    if loaded.word_list is not None:
        print(f"Word list: {len(loaded.word_list.words):,} words of the training text")
    if loaded.copy_index is not None:
        print(f"Copy index: {counted(loaded.copy_index.documents, 'document')}")
    weights = distinct_weights(loaded.network)
    for name, weight in weights.items():
        print(f"{name:28} {' x '.join(map(str, weight.shape))}")
    print(f"{sum(weight.numel() for weight in weights.values()):,} parameters")


def run_copied(args: argparse.Namespace) -> int:
    """Run `copied`: print the copied runs of a text; 1 where it is to be rejected."""
    limits = CopyLimits.checked({name: getattr(args, name) for name in CopyLimits.model_fields})
    text = _read_text("text", args.text)
    index = _load(args).copy_index
    if index is None:
        problem = f"{args.checkpoint} has no copy index; make one with: strophe copies"
        raise ParameterError("checkpoint", problem)
    report = copy_report(index, text, limits)
    for run in report.flagged or ([report.longest] if report.longest is not None else []):
        title = f" ({run.title})" if run.title is not None else ""
        size = f"{counted(run.characters, 'character')}, {counted(run.words, 'whole word')}"
        print(f"{size}: {text[run.start : run.end]!r}")
        place = f"{run.file}, document {run.document}, line {run.line}{title}"
        print(f"    {terminal_line(place)}")
    print(f"{report.verdict}; only verbatim copies are looked for")
    return 1 if report.verdict == "rejected" else 0


def run_export(args: argparse.Namespace) -> None:
    """Run `export`: write a folder that the Hub can show."""
    name = args.name if args.name is not None else args.out.resolve().name
    languages = args.language if args.language is not None else ["en"]
    source = local_folder(args.checkpoint)
    export_for_hub(
        *(source, args.out),
        name=name,
        license_id=args.license,
        languages=languages,
        precision=args.precision,
    )
    print(f"{args.out}: upload it with `hf upload OWNER/{name} {args.out}`")


def _load(args: argparse.Namespace) -> Checkpoint:
    return checkpoints.load(local_folder(args.checkpoint), resolve_device(args.device))


def _read_text(field: str, path: Path) -> str:
    raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(field, f"{path} is not UTF-8 at byte {error.start}") from error


def _discard_output() -> None:
    """Send the rest of standard output to nowhere, so that the flush at exit succeeds."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    args = build_parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has not all characters
    try:
        return args.run(args) or 0
    except BrokenPipeError:  # whoever read the text has gone, as `head` does
        _discard_output()
    except (ModelError, OSError) as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
