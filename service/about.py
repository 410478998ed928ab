"""What a checkpoint folder says of itself, for people: its shape and its card.

Knows nothing of weights.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from model.checkpoint import CARD, CONFIG, Description
from model.config import ModelConfig

MAX_CARD = 65_536  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A network's shape, and the text that training wrote beside it."""

    architecture: ModelConfig
    card: str


def read_about(folder: Path) -> About:
    """Raises OSError, or ValueError where config.json is not one."""
    description = Description.model_validate(json.loads((folder / CONFIG).read_bytes()))
    with (folder / CARD).open("rb") as file:
        card = file.read(MAX_CARD).decode("utf-8", "replace")
    return About(architecture=description.architecture, card=card)
