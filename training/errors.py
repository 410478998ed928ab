"""What can go wrong in training because of a text, a run's name or a disk; said in one line.

ModelError (model.errors)
|- CorpusError   a text that cannot be read, decoded, or split
|- RunError      a run that exists already or cannot be resumed
   |- DivergedError   a loss that is no longer a number
"""

from model.errors import ModelError


class CorpusError(ModelError):
    """A corpus is missing, damaged, not UTF-8, or too small for what is asked."""


class RunError(ModelError):
    """A run cannot be started, resumed or gone on with."""


class DivergedError(RunError):
    """A loss or gradient is no longer a finite number, so training cannot go on."""
