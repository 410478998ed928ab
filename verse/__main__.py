"""`python -m verse write | check`: a poem at the terminal, written in a form or checked.

Errors that a user can mend are one line and exit code 2; a form that is not kept is exit code 1,
and so is one for which no line was found.
"""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from model import checkpoint as checkpoints
from model.__main__ import SHIPPED
from model.decoding.decoder import decoder_of
from model.device import resolve_device
from model.errors import ModelError, ParameterError
from model.terminal_text import terminal_line, terminal_text
from verse.analysis import analyse
from verse.composer.voice import voice_of
from verse.composing import report_of, write_poem
from verse.forms import PoemSpec
from verse.poem import ComposedLine, CompositionError
from verse.poem_request import PoemRequest
from verse.presets import FORM_NAMES, preset
from verse.report_text import analysis_text, report_text
from verse.verifier import verify

MAX_CHARACTERS = 200_000
WORD_FIELDS = ("avoid", "prefer", "keywords", "subject")
_FLAG_TYPES: dict[str, type] = {
    "seed": int,
    "temperature": float,
    "particles": int,
    "alternatives": int,
}


def build_parser() -> argparse.ArgumentParser:
    """Argument parser of the commands."""
    parser = argparse.ArgumentParser(prog="strophe", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_write(commands.add_parser("write", help="write a poem that keeps a form"))
    check = commands.add_parser(
        "check", help="check a poem against a form, or see what form it has"
    )
    check.add_argument("poem", type=Path, help="a UTF-8 text file; - reads standard input")
    form = check.add_mutually_exclusive_group()
    form.add_argument("--form", help=f"name of the form: {', '.join(FORM_NAMES)}")
    form.add_argument("--spec", type=Path, help="JSON file of a form of your own")
    check.add_argument("--word", help="what an acrostic spells, or a ghazal's lines end with")
    check.add_argument("--marks", action="store_true", help="show the scansion above each line")
    check.add_argument("--json", action="store_true", help="print the report as JSON")
    check.set_defaults(run=run_check)
    return parser


def _add_write(write: argparse.ArgumentParser) -> None:
    """Flags of `write`: those of a poem request, and what a terminal needs."""
    write.add_argument(
        "--checkpoint", type=Path, default=SHIPPED, help="folder; default: the one that ships"
    )
    write.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    for name, field in PoemRequest.model_fields.items():
        flag, meaning = "--" + name.replace("_", "-"), field.description
        if name == "spec":
            write.add_argument(flag, type=Path, help="JSON file of a form of your own")
        elif name == "strict":
            write.add_argument(
                "--best-effort",
                dest=name,
                action="store_const",
                const=False,
                help="give up a part of the form where no line keeps it, and say where",
            )
        elif name in ("modern", "allow_copies"):
            write.add_argument(flag, action="store_const", const=True, help=meaning)
        elif name in WORD_FIELDS:
            write.add_argument(flag, nargs="+", metavar="WORD", help=meaning)
        else:
            write.add_argument(flag, type=_FLAG_TYPES.get(name, str), help=meaning)
    write.add_argument("--report", action="store_true", help="print each line's checks after it")
    write.add_argument("--json", action="store_true", help="print poem and report as JSON")
    write.set_defaults(run=run_write)


def run_write(args: argparse.Namespace) -> int:
    """Run `write`: print a poem line by line, then what its report says in short."""
    given = {name: getattr(args, name) for name in PoemRequest.model_fields}
    fields = {name: value for name, value in given.items() if value is not None}
    if args.spec is not None:
        fields["spec"] = _spec_of(args.spec)
    request = PoemRequest.checked(**fields)
    spec = request.poem_spec()
    loaded = checkpoints.load(args.checkpoint, resolve_device(args.device))
    decoder = decoder_of(loaded.network)
    voice = voice_of(loaded, decoder)
    poem = write_poem(decoder, voice, request, lambda line: None if args.json else _say(line, spec))
    report = report_of(poem, spec, voice.copy_index)
    if args.json:
        print(_json({"text": poem.text, "seed": poem.seed, "report": report.to_dict()}), end="")
    elif args.report:
        print("\n" + _safe(report_text(report, with_marks=True)), end="")
    else:
        print(f"seed {poem.seed}", file=sys.stderr)
    return 0


def _say(line: ComposedLine, spec: PoemSpec) -> None:
    """Print a line as soon as it is there, and its alternatives beside it."""
    is_last = line.number == len(spec.lines)
    print(_safe(line.text), end="\n\n" if line.ends_stanza and not is_last else "\n", flush=True)
    for each in line.alternatives:
        print(_safe(f"    or  {each}"))


def run_check(args: argparse.Namespace) -> int:
    """Run `check`: print the report, or the analysis where no form is named."""
    text = _read_text("poem", args.poem)
    if not text.strip():
        raise ParameterError("poem", f"{args.poem} is empty, there is nothing to check")
    if len(text) > MAX_CHARACTERS:
        raise ParameterError("poem", f"at most {MAX_CHARACTERS:,} characters, got {len(text):,}")
    spec = _spec(args)
    if spec is None:
        analysis = analyse(text)
        shown = analysis_text(analysis, with_marks=args.marks)
        print(_json(analysis.to_dict()) if args.json else _safe(shown), end="")
        return 0
    report = verify(text, spec)
    shown = report_text(report, with_marks=args.marks)
    print(_json(report.to_dict()) if args.json else _safe(shown), end="")
    return 0 if report.ok else 1


def _spec(args: argparse.Namespace) -> PoemSpec | None:
    """Form that the flags name; None where they name none."""
    if args.form is not None:
        return preset(args.form, args.word)
    if args.word is not None:
        raise ParameterError("word", "only with --form acrostic or --form ghazal")
    if args.spec is None:
        return None
    return _spec_of(args.spec)


def _spec_of(path: Path) -> PoemSpec:
    """Form that a JSON file describes."""
    try:
        return PoemSpec.checked(json.loads(_read_text("spec", path)))
    except json.JSONDecodeError as error:
        problem = f"{path} is not JSON at line {error.lineno}: {error.msg}"
        raise ParameterError("spec", problem) from error


def _read_text(field: str, path: Path) -> str:
    raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(field, f"{path} is not UTF-8 at byte {error.start}") from error


def _json(fields: dict[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False, indent=2) + "\n"


def _safe(text: str) -> str:
    """Text as it is for a file or another program; for a terminal without control characters."""
    return terminal_text(text) if sys.stdout.isatty() else text


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    args = build_parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that has not all characters
    try:
        code: int = args.run(args)
    except CompositionError as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 1
    except (ModelError, OSError) as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
