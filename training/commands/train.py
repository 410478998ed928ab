"""`python -m training train`: a run is begun, or gone on with."""

import argparse
from pathlib import Path

from rich.console import Console

from model.errors import ParameterError
from training.commands.flags import Commands, add_flags, given_fields
from training.config import TrainConfig, preset_names, resolve
from training.errors import RunError
from training.group import Group, is_one_of_many, is_restart, joined
from training.run import Outcome, resume, start
from training.runfolder import has_begun, resume_flags


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = commands.add_parser("train", help="train a checkpoint")
    parser.add_argument("--resume", action="store_true", help="go on with the run called --name")
    presets = f"one of {', '.join(preset_names())}, or a .toml file"
    parser.add_argument("--preset", default=None, help=presets)
    add_flags(parser, {name: f for name, f in TrainConfig.model_fields.items() if name != "preset"})
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train, or go on with a run."""
    given = given_fields(args, TrainConfig.model_fields.keys() - {"preset"})
    if is_one_of_many() and args.name is None:
        raise ParameterError("name", "must be given where several processes train one network")
    with joined(args.device if args.device is not None else "auto") as group:
        console = Console(stderr=True, quiet=not group.is_writer)
        if args.resume:
            outcome = resume(_run_to_resume(args, given), console, group)
        else:
            config = resolve(args.preset if args.preset is not None else "tiny", given)
            outcome = _begun_or_gone_on_with(config, console, group)
        return _told(outcome, console)


def _begun_or_gone_on_with(config: TrainConfig, console: Console, group: Group) -> Outcome:
    """A new run; but where torchrun started this again after a death, the one that it began."""
    if is_restart() and config.name is not None and has_begun(config.runs_dir / config.name):
        return resume(config.runs_dir / config.name, console, group)
    return start(config, console, group)


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
