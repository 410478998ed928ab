"""`python -m training study`: the cell study of rnn, gru and lstm, as a page with plots."""

import argparse
from functools import partial

from rich.console import Console

from training.cell_study.cell_study_config import CellStudyConfig, validated_config
from training.cell_study.cell_study_run import run_cell_study
from training.commands.flags import Commands, add_flags, given_fields
from training.terminal_output import say


def add(commands: Commands) -> None:
    """Declare the `study` command and its flags."""
    parser = commands.add_parser("study", help="compare rnn, gru and lstm, and plot why")
    add_flags(parser, CellStudyConfig.model_fields)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the cell study and print where its page is."""
    console = Console(stderr=True)
    config = validated_config(given_fields(args, CellStudyConfig.model_fields))
    page = run_cell_study(config, partial(say, console))
    say(console, f"done: {page}")
    return 0
