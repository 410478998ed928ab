"""Errors of training that a user can mend (a text, a run's name, a disk), said in one line.

ModelError (model.errors)
|- CorpusError   a text that cannot be read, decoded, or split
|- RunError      a run that exists already or cannot be resumed
   |- RunStoppedError    a run that had begun, stopped by an error of the disk
   |- MemoryLimitError   a network that needs more memory than there is
   |- DivergedError      a loss that is no longer a number
"""

from pathlib import Path

from model.errors import ModelError


class CorpusError(ModelError):
    """Corpus that is missing, damaged, without text, or too small for what is asked."""


class RunError(ModelError):
    """Run that cannot be started, resumed or gone on with."""


class RunStoppedError(RunError):
    """Run that an error of the system stopped after it had begun; `folder` is the run's."""

    def __init__(self, problem: str, folder: Path) -> None:
        super().__init__(problem)
        self.folder = folder


class MemoryLimitError(RunError):
    """Run that needs more memory than there is."""


class DivergedError(RunError):
    """Loss or gradient that is no longer a finite number, so that training cannot go on."""


def os_error_in_words(error: OSError) -> str:
    """Format an error of the operating system: the file, where it names one, and the reason."""
    if error.strerror is None:
        return str(error)
    return error.strerror if error.filename is None else f"{error.filename}: {error.strerror}"


def is_out_of_memory(error: BaseException) -> bool:
    """Check whether an error is that of an allocation that failed, torch's among them."""
    if isinstance(error, MemoryError):
        return True
    # torch's are RuntimeErrors, on a CPU without a class of their own.
    signs = ("can't allocate memory", "out of memory", "ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)
