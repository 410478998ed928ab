"""Configuration of the cell study: every field, each a flag of `study`. Knows nothing of torch.

Validated once, frozen.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from model.validation import validated_fields
from training.train_config import TrainConfig


class CellStudyConfig(BaseModel):
    """Fields of a cell study: corpus, time or numbers of updates, widths, seeds, device."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    corpus: tuple[str, ...] = Field(
        TrainConfig.model_fields["corpus"].default,
        min_length=1,
        description=TrainConfig.model_fields["corpus"].description,
    )
    out: Path = Field(Path("study"), description="folder for the page and its plots")
    minutes: float = Field(
        6.0, gt=0, description="time for all parts together, measuring included, about"
    )
    text_steps: int | None = Field(
        None, ge=1, description="weight updates of each network on text, instead of by the clock"
    )
    recall_steps: int | None = Field(
        None, ge=1, description="weight updates of each network on recall, instead of by the clock"
    )
    seeds: int = Field(3, ge=1, le=100, description="networks of each cell trained on recall")
    hidden_size: int = Field(
        128,
        ge=32,
        le=2048,
        description="width of the lstm on text; the other cells get as many parameters",
    )
    checkpoint: Path | None = Field(
        None, description="an lstm's checkpoint to look into the gates of, instead of the study's"
    )
    layer: int | None = Field(
        None, ge=1, description="layer whose gates are shown, 1 the lowest; default: the top one"
    )
    seed: int = Field(1, ge=0, lt=2**62, description="seed of weights, batches and recall tasks")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    threads: int | None = Field(None, ge=1, le=1024, description="CPU threads; default: torch's")

    @model_validator(mode="after")
    def _budget_is_used(self) -> Self:
        by_steps = self.text_steps is not None and self.recall_steps is not None
        if by_steps and "minutes" in self.model_fields_set:
            raise ValueError("text_steps and recall_steps leave nothing for minutes to say")
        return self


def validated_config(fields: Mapping[str, object]) -> CellStudyConfig:
    """Validate the fields of a cell study. Raises ParameterError, which names the field."""
    return validated_fields(CellStudyConfig, fields)
