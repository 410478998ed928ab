"""`python -m verse check`: a poem at the terminal, checked against its form or looked at.

Errors that a user can mend are one line and exit code 2; a form that is not kept is exit code 1.
"""

import argparse
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from model.errors import ModelError, ParameterError
from model.terminal_text import terminal_line, terminal_text
from verse.analysis import analyse
from verse.forms import PoemSpec
from verse.presets import FORM_NAMES, preset
from verse.report_text import analysis_text, report_text
from verse.verifier import verify

MAX_CHARACTERS = 200_000


def build_parser() -> argparse.ArgumentParser:
    """Argument parser of the commands."""
    parser = argparse.ArgumentParser(prog="strophe", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
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
    try:
        return PoemSpec.checked(json.loads(_read_text("spec", args.spec)))
    except json.JSONDecodeError as error:
        problem = f"{args.spec} is not JSON at line {error.lineno}: {error.msg}"
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
    except (ModelError, OSError) as error:
        print(f"error: {terminal_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())
