"""`python -m training tune`: hyperparameter search by many short runs."""

import argparse
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from rich.console import Console

from model.errors import ParameterError
from training.commands.flags import Commands, add_flags, given_fields
from training.train_config import ORIGIN, RunName, TrainConfig, preset_names, resolve
from training.training_errors import RunError
from training.tuning.search import SearchPlan, StudyLocation, report_only, search
from training.tuning.search_space import Space, read_space, space_of
from training.tuning.study_folder import StudyFolder

DEFAULT_TRIALS = 20
PLACES = ("preset", "name", "runs_dir", "checkpoints_dir", *ORIGIN, "save_seconds")
FIELDS = {name: f for name, f in TrainConfig.model_fields.items() if name not in PLACES}


def add(commands: Commands) -> None:
    """Declare the `tune` command and its flags."""
    parser = commands.add_parser("tune", help="search for fields by many short runs")
    presets = f"one of {', '.join(preset_names())}, or a .toml file"
    parser.add_argument("--preset", default=None, help=presets)
    parser.add_argument("--space", type=Path, help="TOML file that says what to vary")
    parser.add_argument("--study", help="the study's name; default: the preset's")
    parser.add_argument("--out", type=Path, default=Path("searches"), help="folder of studies")
    parser.add_argument("--storage", help="database URL; default: a sqlite file in the folder")
    parser.add_argument(
        "--trials",
        type=int,
        help=f"trials that this process runs; default: {DEFAULT_TRIALS}, or as --timeout allows",
    )
    parser.add_argument("--timeout", type=float, help="begin no trial after so many minutes")
    parser.add_argument("--report", action="store_true", help="only write the study's report")
    add_flags(parser, FIELDS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search hyperparameters, or only report what a search has found."""
    console = Console(stderr=True)
    given = given_fields(args, FIELDS)
    preset = args.preset if args.preset is not None else "tiny"
    name = _study_name(args.study if args.study is not None else Path(preset).stem)
    location = StudyLocation(name=name, folder=StudyFolder(args.out / name), storage=args.storage)
    if args.report:
        _require_only_report(args, given)
        report_only(location, console)
        return 0
    signal = search(location, _plan(args, preset, given), console)
    return 0 if signal is None else 128 + signal


def _study_name(name: str) -> str:
    try:
        return str(TypeAdapter(RunName).validate_python(name))
    except ValidationError as error:
        raise ParameterError("study", ParameterError.from_validation(error).problem) from error


def _require_only_report(args: argparse.Namespace, given: dict[str, object]) -> None:
    others = [name for name in ("space", "trials", "timeout") if getattr(args, name) is not None]
    if others := sorted([*given, *others]):
        flags = ", ".join("--" + name.replace("_", "-") for name in others)
        raise RunError(f"--report runs no trials; leave out {flags}")


def _plan(args: argparse.Namespace, preset: str, given: dict[str, object]) -> SearchPlan:
    for name in ("trials", "timeout"):
        value = getattr(args, name)
        if value is not None and not 0 < value < float("inf"):
            raise ParameterError(name, f"must be more than 0, got {value}")
    base = resolve(preset, given)
    space = read_space(args.space if args.space is not None else space_of(preset), base)
    _require_not_given(space, given)
    by_default = DEFAULT_TRIALS if args.timeout is None else None
    return SearchPlan(
        given=given,
        base=base,
        space=space,
        trials=args.trials if args.trials is not None else by_default,
        timeout_s=args.timeout * 60 if args.timeout is not None else None,
    )


def _require_not_given(space: Space, given: dict[str, object]) -> None:
    if both := sorted(space.fields.keys() & given.keys()):
        flags = ", ".join("--" + name.replace("_", "-") for name in both)
        raise ParameterError(both[0], f"is varied by {space.source}; leave out {flags}")
