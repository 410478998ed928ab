"""`python -m training train`: starts a training run, or resumes one."""

import argparse
from pathlib import Path

from rich.console import Console

from model.errors import ModelError, ParameterError
from training.command_line import longer_command
from training.commands.flags import Commands, add_flags, given_fields
from training.distributed import ProcessGroup, is_distributed, is_under_torchrun, process_group
from training.flag_names import FLAGS, flag_of
from training.origin import with_origin_found
from training.run import RunOutcome, resume, start
from training.run_folder import has_begun, read_config, resume_flags
from training.run_log import has_finished
from training.terminal_output import say
from training.train_config import TrainConfig, default_preset, preset_names, resolve
from training.training_errors import RunError, RunStoppedError


def add(commands: Commands) -> None:
    """Declare the `train` command and its flags."""
    parser = commands.add_parser("train", help="train a checkpoint")
    parser.add_argument("--resume", action="store_true", help="go on with the run called --name")
    presets = f"one of {', '.join(preset_names())}, or a .toml file"
    parser.add_argument("--preset", default=None, help=presets)
    fields = {name: f for name, f in TrainConfig.model_fields.items() if name != "preset"}
    add_flags(parser, {name: f for name, f in fields.items() if name not in FLAGS})
    for name, flag in FLAGS.items():
        parser.add_argument(flag, dest=name, default=None, help=fields[name].description)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Start a run, or resume one, and return the exit code."""
    given = given_fields(args, TrainConfig.model_fields.keys() - {"preset"})
    if is_distributed() and args.name is None:
        raise ParameterError("name", "must be given where several processes train one network")
    if args.resume:
        folder = _run_to_resume(args, given)
        config = read_config(folder)
    else:
        preset = args.preset if args.preset is not None else default_preset(given)
        config = resolve(preset, given)
        folder = config.runs_dir / str(config.name)
    with process_group(config.device) as group:
        console = Console(stderr=True, quiet=not group.is_writer)
        try:
            goes_on = args.resume or _is_begun_already(folder, config, group)
            is_finished = goes_on and has_finished(folder)
            outcome = resume(folder, console, group) if goes_on else start(config, console, group)
        except RunStoppedError as error:
            flags = resume_flags(error.folder)
            advice = f"when that is mended, go on with: strophe train {flags}"
            raise RunError(f"{error}; {advice}") from error
        except ModelError:
            if group.is_writer:
                raise
            return 2  # one of them says it
        if is_finished:
            longer = longer_command(config, {})
            say(console, f"it had come to its end; to train it longer: {longer}")
        return _report_outcome(outcome, console)


def _is_begun_already(folder: Path, config: TrainConfig, group: ProcessGroup) -> bool:
    """Check whether torchrun gives the command of a run that has begun: it is the same run.

    The writer looks for all of them, so that all do the same.
    """
    if not is_under_torchrun():
        return False
    found = []

    def look() -> None:
        is_same = has_begun(folder) and read_config(folder) == with_origin_found(config)
        found.append(is_same)

    group.run_on_writer(look)
    return bool(group.broadcast(float(any(found))))


def _run_to_resume(args: argparse.Namespace, given: dict[str, object]) -> Path:
    if args.name is None:
        raise ParameterError("name", "--resume needs the --name of the run")
    default = TrainConfig.model_fields["runs_dir"].default
    folder = Path(args.runs_dir if args.runs_dir is not None else default) / str(args.name)
    others = {name: given[name] for name in sorted(given.keys() - {"name", "runs_dir"})}
    if args.preset is not None:
        others["preset"] = args.preset
    if others:
        flags = ", ".join(map(flag_of, others))
        problem = f"--resume goes on with a run as it was begun; leave out {flags}"
        if has_begun(folder):
            longer = longer_command(read_config(folder), others)
            problem = f"{problem}, or begin a new run from its weights: {longer}"
        raise RunError(problem)
    return folder


def _report_outcome(outcome: RunOutcome, console: Console) -> int:
    if outcome.stopped_by is None:
        say(console, f"done: {outcome.checkpoint}")
        return 0
    flags = resume_flags(outcome.folder)
    say(console, f"stopped; go on with: strophe train {flags}")
    return 128 + outcome.stopped_by
