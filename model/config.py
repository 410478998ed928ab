"""Model configuration: cell, widths and layers, validated, frozen, stored in every checkpoint.

Knows nothing of torch: a config can be read and compared without building a network.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Cell = Literal["lstm", "gru", "rnn"]
Width = Annotated[int, Field(ge=1, le=16_384)]


class NetworkShape(BaseModel):
    """Fields of a network's architecture that a training run and a checkpoint have in common.

    The one place of their types, bounds, defaults and help: `ModelConfig` adds the size of the
    vocabulary, `training.train_config.TrainConfig` how to train. A field added here is a flag of
    `train`, is passed on to the network, and is inherited with `--init-from`.
    """

    cell: Cell = Field("lstm", description="recurrent cell")  # gru and rnn are there to compare
    embedding_size: Width = Field(128, description="width of a token's vector")
    hidden_size: Width = Field(256, description="width of each layer's hidden state")
    num_layers: int = Field(2, ge=1, le=16, description="number of layers")
    tied: bool = Field(False, description="the output layer uses the embedding's weights")
    layer_norm: bool = Field(
        False, description="normalise what a layer passes on (Ba et al. 2016; as in Merity 2019)"
    )
    skip: bool = Field(
        False, description="the output layer sees the sum of all layers (as in Melis et al. 2018)"
    )
    mogrifier_rounds: int = Field(
        0,
        ge=0,
        le=16,
        description="rounds in which a layer's input and state gate each other (Melis et al. "
        "2020); 0: none. Slow: every step by itself",
    )
    mogrifier_rank: int = Field(
        0, ge=0, le=16_384, description="rank of the Mogrifier's matrices; 0: full"
    )


class ModelConfig(NetworkShape):
    """Architecture of a network: all that is needed to build it around its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    vocab_size: int = Field(ge=2, le=1_000_000, description="number of token ids")

    @model_validator(mode="after")
    def _tied_widths_agree(self) -> Self:
        if self.tied and self.embedding_size != self.hidden_size:
            raise ValueError(
                f"tied output needs embedding_size equal to hidden_size, "
                f"got {self.embedding_size} and {self.hidden_size}"
            )
        return self

    @model_validator(mode="after")
    def _rank_has_rounds(self) -> Self:
        if self.mogrifier_rank > 0 and self.mogrifier_rounds == 0:
            raise ValueError("mogrifier_rank is of no use without mogrifier_rounds")
        return self

    @model_validator(mode="after")
    def _skips_have_layers(self) -> Self:
        if self.skip and self.num_layers == 1:
            raise ValueError("skip is of no use with num_layers 1")
        return self

    @property
    def is_plain(self) -> bool:
        """True for a network that is a stack of cells without norms, skips and Mogrifier rounds."""
        return not (self.layer_norm or self.skip or self.mogrifier_rounds)

    @property
    def summary(self) -> str:
        """Short text of the architecture, for checkpoint cards and error messages."""
        extras = [
            *(["tied"] if self.tied else []),
            *(["layer norm"] if self.layer_norm else []),
            *(["skip connections"] if self.skip else []),
            *([f"{self.mogrifier_rounds} Mogrifier rounds"] if self.mogrifier_rounds else []),
        ]
        shape = f"{self.cell} {self.num_layers} x {self.hidden_size}"
        return ", ".join([shape, f"embedding {self.embedding_size}", *extras])
