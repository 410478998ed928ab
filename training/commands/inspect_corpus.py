"""`python -m training inspect-corpus`: what training would read and cut of some texts.

Facts and three poems go to the terminal, or as one JSON object; where asked for to a page.
"""

import argparse
from pathlib import Path

from rich.console import Console

from model.atomic_write import write_file
from training.commands.flags import Commands, add_flags, given_fields
from training.data.corpus_options import READING_OPTIONS, CorpusOptions, options_of
from training.inspection.corpus_inspection import inspect
from training.inspection.inspection_lines import inspection_facts
from training.inspection.inspection_page import inspection_page
from training.terminal_output import say


def add(commands: Commands) -> None:
    """Declare the `inspect-corpus` command and its flags."""
    parser = commands.add_parser("inspect-corpus", help="look at texts before training")
    parser.add_argument("paths", nargs="+", help="files, folders, patterns or -")
    names = (*READING_OPTIONS, "split")
    add_flags(parser, {name: CorpusOptions.model_fields[name] for name in names})
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--out", type=Path, help="HTML page to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Inspect texts, and print or write what was found."""
    found = inspect(args.paths, options_of(given_fields(args, CorpusOptions.model_fields)))
    if args.out is not None:
        title = f"Inspection of {', '.join(Path(path).name or path for path in args.paths)}"
        write_file(args.out, inspection_page(found, title))
    if args.json:
        print(found.model_dump_json())
        return 0
    console = Console()
    say(console, *(f"{name}: {value}" for name, value in inspection_facts(found)))
    for poem in found.poems:
        say(console, "", *poem.split("\n"))
    return 0
