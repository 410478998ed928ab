"""The checkpoint folder: four files that hold all that generating text needs.

    model.safetensors   the weights, bf16 or fp32
    config.json         format number, architecture, tokenizer kind, provenance
    tokenizer.model     the SentencePiece vocabulary
    README.md           the card, for people

Written whole or not at all; loaded strictly; nothing is ever unpickled. What resuming a
training run needs lies elsewhere, and this module knows nothing of it.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import safetensors
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.config import ModelConfig
from model.durable import replacing_folder
from model.errors import CheckpointError, ParameterError, TokenizerError
from model.network import Network
from model.tokenizer import Tokenizer, TokenizerKind

FORMAT = 1
WEIGHTS, CONFIG, TOKENIZER, CARD = (
    "model.safetensors",
    "config.json",
    "tokenizer.model",
    "README.md",
)
FILES = (WEIGHTS, CONFIG, TOKENIZER, CARD)

Precision = Literal["bf16", "fp32"]
_DTYPES: dict[Precision, torch.dtype] = {"bf16": torch.bfloat16, "fp32": torch.float32}


class Description(BaseModel):
    """The content of config.json."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1]
    architecture: ModelConfig
    tokenizer: TokenizerKind
    provenance: dict[str, str | int | float | None] = Field(
        default_factory=dict, description="where the weights come from: corpus, steps, losses"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A loaded checkpoint: the network in fp32 and in evaluation mode, ready to decode."""

    network: Network
    tokenizer: Tokenizer
    description: Description
    card: str


def save(checkpoint: Checkpoint, folder: Path, precision: Precision = "bf16") -> None:
    """Write `checkpoint` to `folder`, in place of what was there.

    The weights on disk are those of the network rounded to `precision`.
    """
    dtype = _DTYPES[precision]
    weights = {
        name: weight.detach().to("cpu", dtype).contiguous()
        for name, weight in distinct_weights(checkpoint.network).items()
    }
    with replacing_folder(folder) as partial:
        save_file(weights, partial / WEIGHTS)
        text = checkpoint.description.model_dump_json(indent=2)
        (partial / CONFIG).write_text(text + "\n", encoding="utf-8")
        (partial / TOKENIZER).write_bytes(checkpoint.tokenizer.serialized)
        (partial / CARD).write_text(checkpoint.card, encoding="utf-8")


def load(folder: Path, device: torch.device | None = None) -> Checkpoint:
    """Read a checkpoint. Raises CheckpointError, which says what differs from what it should be."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(f"{folder}: not a checkpoint, {', '.join(missing)} missing")
    description = _read_description(folder)
    tokenizer = _read_tokenizer(folder, description)
    network = Network(description.architecture)
    _load_weights(network, folder / WEIGHTS)
    return Checkpoint(
        network=network.to(device).eval().requires_grad_(requires_grad=False),
        tokenizer=tokenizer,
        description=description,
        card=(folder / CARD).read_text(encoding="utf-8", errors="replace"),
    )


def distinct_weights(network: Network) -> dict[str, Tensor]:
    """Every parameter once: a tied output is stored as the embedding alone."""
    return dict(network.named_parameters(remove_duplicate=True))


def _read_description(folder: Path) -> Description:
    path = folder / CONFIG
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not JSON ({error})") from error
    number = content.get("format") if isinstance(content, dict) else None
    if number != FORMAT:
        raise CheckpointError(f"{path}: format {number!r}, this version reads format {FORMAT}")
    try:
        return Description.model_validate(content)
    except ValidationError as error:
        raise CheckpointError(f"{path}: {ParameterError.from_validation(error)}") from error


def _read_tokenizer(folder: Path, description: Description) -> Tokenizer:
    path = folder / TOKENIZER
    try:
        tokenizer = Tokenizer(path.read_bytes(), description.tokenizer)
    except TokenizerError as error:
        raise CheckpointError(f"{path}: {error}") from error
    expected = description.architecture.vocab_size
    if tokenizer.vocab_size != expected:
        raise CheckpointError(
            f"{path}: holds {tokenizer.vocab_size} tokens, {CONFIG} says vocab_size {expected}"
        )
    return tokenizer


def _load_weights(network: Network, path: Path) -> None:
    try:
        stored = load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read, is it truncated? ({error})") from error
    wanted = distinct_weights(network)
    if stored.keys() != wanted.keys():
        differing = ", ".join(sorted(stored.keys() ^ wanted.keys()))
        raise CheckpointError(f"{path}: weights do not match {CONFIG}: {differing}")
    for name, weight in wanted.items():
        if stored[name].shape != weight.shape:
            raise CheckpointError(
                f"{path}: {name} has shape {tuple(stored[name].shape)}, "
                f"{CONFIG} wants {tuple(weight.shape)}"
            )
        if not bool(torch.isfinite(stored[name]).all()):
            raise CheckpointError(f"{path}: {name} holds values that are not finite")
        weight.data.copy_(stored[name])
