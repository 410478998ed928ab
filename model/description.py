"""Description of a checkpoint: the content of its config.json, checked.

Knows nothing of files.
"""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from model.config import ModelConfig
from model.extra_files import ExtraFile, FileFacts
from model.tokenizer import TokenizerKind

FORMATS = FLOATS, QUANTIZED = 1, 2  # of weights that are floats, and of int8 ones with scales
MAX_PURPOSE, PURPOSE = 100, "purpose"  # characters of it, and its name among the facts
Facts = dict[str, str | int | float | None]


class Description(BaseModel):
    """Content of a checkpoint's config.json: architecture, tokenizer, provenance, extra files."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1, 2]
    architecture: ModelConfig
    tokenizer: TokenizerKind
    provenance: Facts = Field(
        default_factory=dict, description="where the weights come from: corpus, steps, losses"
    )
    extra_files: dict[ExtraFile, FileFacts] = Field(
        default_factory=dict, description="files beside the four: their sizes and hashes"
    )

    @property
    def is_quantized(self) -> bool:
        """Quantized weights: True where they are int8 integers with scales."""
        return self.format == QUANTIZED

    @property
    def purpose(self) -> str | None:
        """Purpose of the checkpoint in a few words, as its maker told it; None: not told."""
        told = self.provenance.get(PURPOSE)
        said = " ".join(told.split())[:MAX_PURPOSE] if isinstance(told, str) else ""
        return said or None

    @model_validator(mode="after")
    def _quantized_is_plain(self) -> Self:
        if self.is_quantized and not self.architecture.is_plain:
            raise ValueError(f"format {QUANTIZED} is for plain stacks of layers")
        return self
