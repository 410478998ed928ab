"""`python -m verse check`: a poem against its form, or what form it has. Loads no network.

A form that is not kept is exit code 1.
"""

import argparse
from pathlib import Path

from model.errors import ParameterError
from verse.analysis import analyse
from verse.commands.terminal_files import json_text, read_text, shown, spec_of
from verse.forms import PoemSpec
from verse.presets import FORM_NAMES, preset
from verse.report_text import analysis_text, report_text
from verse.verifier import verify

MAX_CHARACTERS = 200_000


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `check`."""
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


def run_check(args: argparse.Namespace) -> int:
    """Run `check`: print the report, or the analysis where no form is named."""
    text = read_text("poem", args.poem)
    if not text.strip():
        raise ParameterError("poem", f"{args.poem} is empty, there is nothing to check")
    if len(text) > MAX_CHARACTERS:
        raise ParameterError("poem", f"at most {MAX_CHARACTERS:,} characters, got {len(text):,}")
    spec = _spec(args)
    if spec is None:
        analysis = analyse(text)
        told = analysis_text(analysis, with_marks=args.marks)
        print(json_text(analysis.to_dict()) if args.json else shown(told), end="")
        return 0
    report = verify(text, spec)
    told = report_text(report, with_marks=args.marks)
    print(json_text(report.to_dict()) if args.json else shown(told), end="")
    return 0 if report.ok else 1


def _spec(args: argparse.Namespace) -> PoemSpec | None:
    """Form that the flags name; None where they name none."""
    if args.form is not None:
        return preset(args.form, args.word)
    if args.word is not None:
        raise ParameterError("word", "only with --form acrostic or --form ghazal")
    if args.spec is None:
        return None
    return spec_of(args.spec)
