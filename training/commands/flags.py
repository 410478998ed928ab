"""Fields become flags: what the commands share.

Knows nothing of what the fields mean.
"""

import argparse
from collections.abc import Iterable, Mapping
from typing import TypeAlias, get_origin

from pydantic.fields import FieldInfo

# argparse gives what `add_subparsers` returns no public name.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001


def add_flags(parser: argparse.ArgumentParser, fields: Mapping[str, FieldInfo]) -> None:
    """A flag a field; values stay text, so that one validation gives one kind of error."""
    for name, field in fields.items():
        flag = "--" + name.replace("_", "-")
        if field.annotation is bool:
            action = argparse.BooleanOptionalAction
            parser.add_argument(flag, action=action, default=None, help=field.description)
        else:
            count = "+" if get_origin(field.annotation) is tuple else None
            parser.add_argument(flag, nargs=count, default=None, help=field.description)


def given_fields(args: argparse.Namespace, names: Iterable[str]) -> dict[str, object]:
    """The fields that the command line names."""
    values = {name: getattr(args, name, None) for name in names}
    given = {name: value for name, value in values.items() if value is not None}
    if isinstance(separator := given.get("document_separator"), str):
        # A shell cannot easily write a line end: \n stands for one.
        given["document_separator"] = separator.replace("\\n", "\n")
    return given
