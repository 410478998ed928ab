"""Extra: optional dependencies of a command, and the one line that names an extra not installed.

The extras are those of `pyproject.toml`. Knows nothing of what they are needed for.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from model.errors import ModelError

PACKAGES = ("model", "training", "service")


class MissingExtraError(ModelError):
    """Package of an extra that is not installed; the message says how to install it."""

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(f"{package} is not installed: pip install 'strophe[{extra}]'")
        self.extra = extra


@contextmanager
def needs_extra(name: str) -> Iterator[None]:
    """Turn a failed import of somebody else's package in the block into a MissingExtraError."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if not package or package in PACKAGES:
            raise
        raise MissingExtraError(name, package) from error
