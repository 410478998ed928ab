"""Search space: the fields that a search varies, each a range or choices, declared in TOML.

    [learning_rate]          a range: low and high belong to it; log draws by magnitude,
    low = 0.001              step leaves only low, low + step, ...
    high = 0.01
    log = true

    [batch_size]
    choices = [16, 32, 64]

Knows nothing of studies: it says what is declared, and draws from a trial.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import get_args

from optuna import Trial
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from model.errors import ParameterError
from training.data.corpus_options import CorpusOptions
from training.train_config import BUDGETS, ORIGIN, TrainConfig, checked

SPACES = Path(__file__).parent / "spaces"
DEFAULT = "default"

Value = bool | int | float | str

# The fields that no search may vary, and why.
FIXED = {
    **dict.fromkeys(
        (*CorpusOptions.model_fields, "corpus", "valid_corpus"),
        "all trials share one prepared corpus",
    ),
    **dict.fromkeys(
        ("preset", "name", "runs_dir", "checkpoints_dir", *ORIGIN, "save_seconds"),
        "it does not belong to a trial",
    ),
    **dict.fromkeys(BUDGETS, "all trials have one budget; give it as a flag"),
    **dict.fromkeys(
        ("evaluations", "evaluation_tokens", "final_evaluation_tokens"),
        "all trials are measured alike",
    ),
    **dict.fromkeys(("device", "threads"), "the machine is not searched"),
    "seed": "a lucky seed is not a better run",
}


class Declared(BaseModel):
    """Table of a space file: the range or the choices of one field."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    step: int | float | None = Field(None, gt=0)
    choices: tuple[Value, ...] | None = Field(None, min_length=2)


@dataclass(frozen=True, slots=True)
class Space:
    """Search space: the fields that a search varies, as Optuna distributions."""

    source: Path
    fields: Mapping[str, BaseDistribution]

    def drawn(self, trial: Trial) -> dict[str, Value]:
        """Draw a value for every field, as the study's sampler proposes them."""
        return {name: _draw(trial, name, field) for name, field in self.fields.items()}

    def holds(self, values: Mapping[str, object]) -> bool:
        """Check whether a search can come to these values."""
        return all(_holds(field, values[name]) for name, field in self.fields.items())


def space_of(preset: str) -> Path:
    """Find the space that ships for a preset; for one without its own, the default space."""
    path = SPACES / f"{preset}.toml"
    return path if path.is_file() else SPACES / f"{DEFAULT}.toml"


def read_space(path: Path, base: TrainConfig) -> Space:
    """Read the space in a file, for trials that have the other fields of `base`.

    Raises ParameterError, which names file and field, for a field that is not there or not to be
    varied, for bounds that make no range, and for values that a run would refuse.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # not UTF-8 and not TOML are ValueErrors
        reason = getattr(error, "strerror", None) or error
        raise ParameterError("space", f"{path} cannot be read ({reason})") from error
    if not tables:
        raise ParameterError("space", f"{path} names no field to vary")
    return Space(path, {name: _field(path, name, table, base) for name, table in tables.items()})


def _field(path: Path, name: str, table: object, base: TrainConfig) -> BaseDistribution:
    """Build the distribution of one field. Raises ParameterError."""
    try:
        _require_searchable(name)
        distribution = _distribution(name, Declared.model_validate(table))
        for value in _extremes(distribution):
            checked({**base.model_dump(), name: value})
    except ValidationError as error:
        problem = ParameterError.from_validation(error)
        raise ParameterError(f"{path}: {name}", str(problem)) from error
    except ParameterError as error:
        raise ParameterError(f"{path}: {name}", error.problem) from error
    return distribution


def _require_searchable(name: str) -> None:
    if name not in TrainConfig.model_fields:
        known = ", ".join(field for field in TrainConfig.model_fields if field not in FIXED)
        raise ParameterError(name, f"there is no such field to vary; there are {known}")
    if name in FIXED:
        raise ParameterError(name, f"cannot be varied: {FIXED[name]}")


def _distribution(name: str, declared: Declared) -> BaseDistribution:
    ranged = {"low", "high", "log", "step"} & declared.model_fields_set
    if declared.choices is not None:
        if ranged:
            raise ParameterError(name, f"give choices or a range, not choices and {min(ranged)}")
        if len(set(map(repr, declared.choices))) < len(declared.choices):
            raise ParameterError(name, "a choice is there twice")
        return CategoricalDistribution(declared.choices)
    if declared.low is None or declared.high is None:
        raise ParameterError(name, "give low and high, or choices")
    return _range(name, declared, declared.low, declared.high)


def _range(name: str, declared: Declared, low: float, high: float) -> BaseDistribution:
    annotation = TrainConfig.model_fields[name].annotation
    kinds = {annotation, *get_args(annotation)}
    if not kinds & {int, float}:
        raise ParameterError(name, "is not a number: give choices")
    if low >= high:
        raise ParameterError(name, f"low must be less than high, got {low} and {high}")
    if declared.log and low <= 0:
        raise ParameterError(name, f"with log, low must be more than 0, got {low}")
    if declared.log and declared.step is not None:
        raise ParameterError(name, "give log or step, not both")
    step = declared.step
    if step is not None and (Decimal(str(high)) - Decimal(str(low))) % Decimal(str(step)) != 0:
        raise ParameterError(name, f"from low to high must be whole steps of {step}")
    if float in kinds:
        return FloatDistribution(float(low), float(high), log=declared.log, step=step)
    if not all(isinstance(value, int) for value in (low, high, step or 1)):
        raise ParameterError(name, "low, high and step must be whole numbers")
    return IntDistribution(int(low), int(high), log=declared.log, step=int(step or 1))


def _extremes(distribution: BaseDistribution) -> tuple[object, ...]:
    """List the values to try: a field's bounds form an interval, so a range needs only its ends."""
    if isinstance(distribution, CategoricalDistribution):
        return tuple(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)  # noqa: S101
    return distribution.low, distribution.high


def _draw(trial: Trial, name: str, field: BaseDistribution) -> Value:
    if isinstance(field, IntDistribution):
        return trial.suggest_int(name, field.low, field.high, step=field.step, log=field.log)
    if isinstance(field, FloatDistribution):
        return trial.suggest_float(name, field.low, field.high, step=field.step, log=field.log)
    assert isinstance(field, CategoricalDistribution)  # noqa: S101 - `_distribution` makes three
    value: Value = trial.suggest_categorical(name, field.choices)  # type: ignore[assignment]
    return value


def _holds(field: BaseDistribution, value: object) -> bool:
    if isinstance(field, CategoricalDistribution):
        return any(value == choice and type(value) is type(choice) for choice in field.choices)
    assert isinstance(field, IntDistribution | FloatDistribution)  # noqa: S101
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    steps = Decimal(str(value)) - Decimal(str(field.low))
    on_grid = field.step is None or steps % Decimal(str(field.step)) == 0
    return field.low <= value <= field.high and on_grid
