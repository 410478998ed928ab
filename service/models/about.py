"""What a checkpoint says of itself, for people: its shape and its card.

Knows nothing of weights.
"""

from dataclasses import dataclass
from typing import Self

from model.checkpoint import Checkpoint
from model.config import ModelConfig

MAX_CARD = 65_536  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A network's shape, and the text that training wrote beside it."""

    architecture: ModelConfig
    card: str

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> Self:
        """What was loaded with the weights; a card that is too long is cut."""
        card = checkpoint.card.encode()[:MAX_CARD].decode("utf-8", "replace")
        return cls(architecture=checkpoint.description.architecture, card=card)
