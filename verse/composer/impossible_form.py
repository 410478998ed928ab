"""Impossible form: the error for what no line can keep, known before the first network step."""

from model.errors import ParameterError


class ImpossibleFormError(ParameterError):
    """Form that no line can keep; `nearest` says what can be had instead, empty if nothing."""

    def __init__(self, field: str, problem: str, nearest: str = "") -> None:
        super().__init__(field, f"{problem}; {nearest}" if nearest else problem)
        self.nearest = nearest
