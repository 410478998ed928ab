"""Errors of training that a user can mend (a text, a run's name, a disk), said in one line.

ModelError (model.errors)
|- CorpusError   a text that cannot be read, decoded, or split
|- RunError      a run that exists already or cannot be resumed
   |- DivergedError   a loss that is no longer a number
"""

from model.errors import ModelError


class CorpusError(ModelError):
    """Corpus that is missing, damaged, not UTF-8, or too small for what is asked."""


class RunError(ModelError):
    """Run that cannot be started, resumed or gone on with."""


class DivergedError(RunError):
    """Loss or gradient that is no longer a finite number, so that training cannot go on."""
