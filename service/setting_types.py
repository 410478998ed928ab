"""Types of settings: what a variable's text is read into, and what it may say.

A value that may not be so is refused with what would be right. Knows no setting by its name.
"""

import re
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import limits
from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from model import pretrained
from model.errors import shortened
from model.stores.address import StoreError, is_address, require_address

STORAGE_SCHEMES = ("memory", "redis", "rediss", "redis+unix")
DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,3})?")
REPLICA = re.compile(r"[A-Za-z0-9._-]{1,64}")
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s]+")


def _parts(value: object) -> object:
    """Parts of a text between its commas; of a path itself."""
    if isinstance(value, Path):
        return (str(value),)
    return tuple(map(str.strip, value.split(","))) if isinstance(value, str) else value


def _names_or_none(value: object) -> object:
    return () if isinstance(value, str) and value.strip() == "none" else _parts(value)


def _lower_case(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _places(value: tuple[str, ...]) -> tuple[str, ...]:
    if not all(value):
        raise ValueError("names no folder between two commas")
    for address in filter(is_address, value):
        try:
            require_address(address)
        except StoreError as error:
            raise ValueError(str(error)) from error
    return value


def _shipped(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        if name not in pretrained.NAMES:
            ships = ", ".join(pretrained.NAMES)
            raise ValueError(f"no model {shortened(name)} ships: there are {ships}; or none")
    return value


def _origins(value: Iterable[str]) -> tuple[str, ...]:
    origins = tuple(map(str.lower, value))
    for origin in origins:
        if origin != "*" and not ORIGIN.fullmatch(origin):
            example = "* or such as https://example.org:8080, without a path"
            raise ValueError(f"an origin is {example}, got {shortened(origin)}")
    return origins


def _rates(value: str) -> str:
    try:
        rates = limits.parse_many(value)
    except ValueError:
        rates = [limits.RateLimitItemPerSecond(0)]
    if any(rate.amount < 1 for rate in rates):
        example = "such as 60/minute;1000/hour, each 1 or more"
        raise ValueError(f"must be rates {example}, got {shortened(value)}")
    return value


def _storage(value: SecretStr) -> SecretStr:
    # The messages do not show the value: there may be a password in it.
    scheme, separator, _ = value.get_secret_value().partition("://")
    if not separator or scheme not in STORAGE_SCHEMES:
        known = ", ".join(f"{each}://" for each in STORAGE_SCHEMES)
        raise ValueError(f"must begin with one of {known}")
    if scheme != "memory" and find_spec("redis") is None:
        raise ValueError(f"{scheme}:// needs the package redis: install strophe[redis]")
    return value


def _replica(value: str) -> str:
    if not REPLICA.fullmatch(value):
        allowed = "1 to 64 of the letters a to z and A to Z, digits, dots, hyphens, underscores"
        raise ValueError(f"must be {allowed}, got {shortened(value)}")
    return value


def _device(value: str) -> str:
    if not DEVICE.fullmatch(value):
        raise ValueError(f"must be auto, cpu, cuda or cuda:N, got {shortened(value)}")
    return value


_Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parts)]
Places = Annotated[_Listed, AfterValidator(_places)]
ShippedNames = Annotated[
    tuple[str, ...], NoDecode, BeforeValidator(_names_or_none), AfterValidator(_shipped)
]
Origins = Annotated[_Listed, AfterValidator(_origins)]
Rates = Annotated[str, AfterValidator(_rates)]
RateStorage = Annotated[SecretStr, AfterValidator(_storage)]
Replica = Annotated[str, AfterValidator(_replica)]
Device = Annotated[str, AfterValidator(_device)]
LowerCase = BeforeValidator(_lower_case)
