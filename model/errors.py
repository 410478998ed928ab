"""Errors that a user can cause and mend: by a file, a request or a setting.

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
    """Base of every error in this package that a user can cause and mend."""


class CheckpointError(ModelError):
    """Checkpoint folder that is missing, damaged, or does not fit its own description."""


class TokenizerError(ModelError):
    """Tokenizer that cannot be trained on a text, or whose file cannot be read."""


class ParameterError(ModelError):
    """Parameter or setting with a value out of bounds; `field` names it, dotted if nested."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem

    @classmethod
    def from_validation(cls, error: ValidationError) -> Self:
        """ParameterError of a pydantic validation's first complaint, with its input shortened."""
        first = error.errors(include_url=False, include_context=False)[0]
        # An unknown key is as long as whoever wrote it liked.
        field = ".".join(str(part)[:MAX_SHOWN_INPUT] for part in first["loc"])
        problem = first["msg"].removeprefix("Value error, ")
        if first["type"] not in ("missing", "extra_forbidden", "value_error"):
            problem = f"{problem}, got {shortened(first['input'])}"
        return cls(field, problem)


def shortened(value: object) -> str:
    """`repr(value)`, cut to a length that is safe to show to whoever sent it."""
    text = repr(value)
    return text if len(text) <= MAX_SHOWN_INPUT else text[:MAX_SHOWN_INPUT] + "..."
