"""Failures of a run that the machine is to blame for, a full disk or too little memory, in words.

Knows nothing of what is trained.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.training_errors import (
    MemoryLimitError,
    RunStoppedError,
    is_out_of_memory,
    os_error_in_words,
)


@contextmanager
def memory_failures() -> Iterator[None]:
    """Say in one line that an allocation failed. Raises MemoryLimitError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        advice = "lower --batch-size, --sequence-length, --hidden-size or --num-layers"
        raise MemoryLimitError(f"out of memory ({reason}); {advice}") from error


@contextmanager
def run_failures(folder: Path) -> Iterator[None]:
    """Say what stopped the begun run in `folder`: memory, or a file that cannot be written.

    Raises MemoryLimitError or RunStoppedError.
    """
    with memory_failures():
        try:
            yield
        except OSError as error:
            raise RunStoppedError(os_error_in_words(error), folder) from error
