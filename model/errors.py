"""What can go wrong because of a file, a request or a setting, said so that it can be put right.

    ModelError
    |- CheckpointError   a checkpoint folder that is missing, damaged or of another format
    |- TokenizerError    a vocabulary that cannot be built or read
    |- ParameterError    a field outside its bounds; names the field

Knows nothing of exit codes and HTTP: the commands and the service decide how an error is shown.
"""

from typing import Self

from pydantic import ValidationError

MAX_SHOWN_INPUT = 60


class ModelError(Exception):
    """The base of every error in this package that a user can cause and mend."""


class CheckpointError(ModelError):
    """A checkpoint folder is missing, damaged, or does not fit its own description."""


class TokenizerError(ModelError):
    """A tokenizer cannot be trained on this text, or its file cannot be read."""


class ParameterError(ModelError):
    """A field holds a value it may not hold. `field` is its name, dotted where nested."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem

    @classmethod
    def from_validation(cls, error: ValidationError) -> Self:
        """The first complaint of a pydantic validation, with the offending input shortened."""
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        problem = first["msg"].removeprefix("Value error, ")
        if first["type"] not in ("missing", "extra_forbidden", "value_error"):
            problem = f"{problem}, got {shortened(first['input'])}"
        return cls(field, problem)


def shortened(value: object) -> str:
    """`repr(value)`, cut to a length that is safe to show to whoever sent it."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_INPUT else text[:MAX_SHOWN_INPUT] + "..."
