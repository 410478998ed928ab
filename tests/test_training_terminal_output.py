"""Lines at the terminal: whole and as they are, whatever they hold."""

import io

from rich.console import Console

from training.commands.tables import Grid, print_grids
from training.terminal_output import say

STEERING = "red\x1b[31m\x9b2J\x07"
SHOWN = "red\\x1b[31m\\x9b2J\\x07"


def test_a_line_is_printed_whole_without_markup_and_control_characters() -> None:
    output = io.StringIO()
    console = Console(file=output, width=20, force_terminal=True)
    say(console, f"{STEERING} [bold] :moon: 12 " + "a" * 30)
    assert output.getvalue() == f"{SHOWN} [bold] :moon: 12 " + "a" * 30 + "\n"


def test_a_table_shows_titles_without_markup_and_control_characters() -> None:
    output = io.StringIO()
    print_grids([Grid(rows=[(STEERING, "[bold]")])], Console(file=output, width=80))
    assert f"{SHOWN} \N{BOX DRAWINGS LIGHT VERTICAL} [bold]" in output.getvalue()
