"""The shape of a network: validated once, frozen, stored as JSON in every checkpoint.

Knows nothing of torch: a config can be read and compared without building a network.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Cell = Literal["lstm", "gru", "rnn"]
Width = Annotated[int, Field(ge=1, le=16_384)]


class ModelConfig(BaseModel):
    """What is needed to build the network that a set of weights belongs to."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    cell: Cell = Field("lstm", description="recurrent cell; gru and rnn are there to compare")
    vocab_size: int = Field(ge=2, le=1_000_000, description="number of token ids")
    embedding_size: Width = Field(128, description="width of a token's vector")
    hidden_size: Width = Field(256, description="width of each layer's hidden state")
    num_layers: int = Field(2, ge=1, le=16, description="recurrent layers, one on the other")
    tied: bool = Field(False, description="the output layer uses the embedding's weights")
    dropout: float = Field(
        0.0, ge=0.0, lt=1.0, description="dropped share of each layer's input and of the output"
    )

    @model_validator(mode="after")
    def _tied_widths_agree(self) -> Self:
        if self.tied and self.embedding_size != self.hidden_size:
            raise ValueError(
                f"tied output needs embedding_size equal to hidden_size, "
                f"got {self.embedding_size} and {self.hidden_size}"
            )
        return self
