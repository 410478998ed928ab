"""Command-line flags made from the fields of pydantic models, shared by all commands.

Knows nothing of what the fields mean.
"""

import argparse
from collections.abc import Iterable, Mapping
from typing import TypeAlias, TypeVar, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from model.errors import ParameterError

# argparse gives what `add_subparsers` returns no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
Options = TypeVar("Options", bound=BaseModel)


def add_flags(parser: argparse.ArgumentParser, fields: Mapping[str, FieldInfo]) -> None:
    """Add a flag for each field.

    Values stay text, so that one validation gives one kind of error.
    """
    for name, field in fields.items():
        flag = "--" + name.replace("_", "-")
        if field.annotation is bool:
            action = argparse.BooleanOptionalAction
            parser.add_argument(flag, action=action, default=None, help=field.description)
        else:
            count = "+" if get_origin(field.annotation) is tuple else None
            parser.add_argument(flag, nargs=count, default=None, help=field.description)


def given_fields(args: argparse.Namespace, names: Iterable[str]) -> dict[str, object]:
    """Collect the fields that the command line names, and their values."""
    values = {name: getattr(args, name, None) for name in names}
    given = {name: value for name, value in values.items() if value is not None}
    if isinstance(separator := given.get("document_separator"), str):
        # A shell cannot easily write a line end: \n stands for one.
        given["document_separator"] = separator.replace("\\n", "\n")
    return given


def add_switched(
    parser: argparse.ArgumentParser, switch: str, options: type[BaseModel], meaning: str
) -> None:
    """Add the flag `--SWITCH`, and `--SWITCH-FIELD` for every field of its options."""
    parser.add_argument(f"--{switch}", action="store_true", help=meaning)
    add_flags(parser, {f"{switch}_{name}": f for name, f in options.model_fields.items()})


def switched(args: argparse.Namespace, switch: str, options: type[Options]) -> Options | None:
    """Validate the options of a switch; None where it is off. Raises ParameterError."""
    given = {name: getattr(args, f"{switch}_{name}") for name in options.model_fields}
    given = {name: value for name, value in given.items() if value is not None}
    if not getattr(args, switch):
        for name in given:
            raise ParameterError(f"{switch}_{name}", f"says nothing without --{switch}")
        return None
    try:
        return options.model_validate(given)
    except ValidationError as error:
        problem = ParameterError.from_validation(error)
        raise ParameterError(f"{switch}_{problem.field}", problem.problem) from error
