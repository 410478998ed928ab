"""Checkpoint folder: four files that hold all that generating text needs; saved and loaded here.

    model.safetensors   the weights, bf16 or fp32
    config.json         format number, architecture, tokenizer kind, provenance
    tokenizer.model     the SentencePiece vocabulary
    README.md           the card, for people

Written whole or not at all; loaded strictly; nothing is ever unpickled. What resuming a
training run needs lies elsewhere, and this module knows nothing of it.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from model.atomic_write import replacing_folder
from model.config import ModelConfig
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
    """Content of a checkpoint's config.json: architecture, tokenizer kind, provenance."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    format: Literal[1]
    architecture: ModelConfig
    tokenizer: TokenizerKind
    provenance: dict[str, str | int | float | None] = Field(
        default_factory=dict, description="where the weights come from: corpus, steps, losses"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Checkpoint in memory: the network, its tokenizer, the description and the card."""

    network: Network
    tokenizer: Tokenizer
    description: Description
    card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedCheckpoint(Checkpoint):
    """Checkpoint that was loaded: the network in fp32 and in evaluation mode, ready to decode."""

    digest: str  # of the bytes that were read: 12 hexadecimal digits, the same for the same files


def save(checkpoint: Checkpoint, folder: Path, precision: Precision = "bf16") -> None:
    """Save a checkpoint to `folder`, in place of what was there."""
    with replacing_folder(folder) as partial:
        write_files(checkpoint, partial, precision)


def write_files(checkpoint: Checkpoint, folder: Path, precision: Precision) -> None:
    """Write a checkpoint's four files into a folder that the caller puts in its place.

    The weights on disk are those of the network rounded to `precision`.
    """
    dtype = _DTYPES[precision]
    weights = {
        name: weight.detach().to("cpu", dtype).contiguous()
        for name, weight in distinct_weights(checkpoint.network).items()
    }
    (folder / WEIGHTS).write_bytes(safetensors.torch.save(weights))
    text = checkpoint.description.model_dump_json(indent=2)
    (folder / CONFIG).write_text(text + "\n", encoding="utf-8")
    (folder / TOKENIZER).write_bytes(checkpoint.tokenizer.serialized)
    (folder / CARD).write_text(checkpoint.card, encoding="utf-8")


def load(folder: Path, device: torch.device | None = None) -> LoadedCheckpoint:
    """Load a checkpoint, each file read once. Raises CheckpointError, which says what is wrong."""
    content = _read_files(folder)
    description = _description(content[CONFIG], folder / CONFIG)
    tokenizer = _tokenizer(content[TOKENIZER], folder / TOKENIZER, description)
    weights = _weights(content[WEIGHTS], folder / WEIGHTS, description.architecture)
    network = Network(description.architecture)
    for name, weight in distinct_weights(network).items():
        weight.data.copy_(weights[name])
    return LoadedCheckpoint(
        network=network.to(device).eval().requires_grad_(requires_grad=False),
        tokenizer=tokenizer,
        description=description,
        card=content[CARD].decode("utf-8", "replace"),
        digest=_digest(content),
    )


def distinct_weights(network: Network) -> dict[str, Tensor]:
    """Weights of a network by name, each once: a tied output is stored as the embedding alone."""
    return dict(network.named_parameters(remove_duplicate=True))


def _read_files(folder: Path) -> dict[str, bytes]:
    """Content of the four files, all of one folder even while `folder` is being replaced."""
    while True:
        try:
            directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise CheckpointError(f"{folder}: not a checkpoint ({error.strerror})") from error
        try:
            return _read_files_of(directory)
        except OSError as error:
            # While `directory` is open no other folder can have its identity.
            if _is_still_at(folder, directory):
                name, why = error.filename, error.strerror
                raise CheckpointError(f"{folder}: not a checkpoint ({name}: {why})") from error
        finally:
            os.close(directory)


def _read_files_of(directory: int) -> dict[str, bytes]:
    content = {}
    for name in FILES:
        with open(
            name, "rb", opener=lambda path, flags: os.open(path, flags, dir_fd=directory)
        ) as file:
            content[name] = file.read()
    return content


def _digest(content: dict[str, bytes]) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for name in FILES:
        digest.update(content[name])
    return digest.hexdigest()


def _is_still_at(folder: Path, directory: int) -> bool:
    try:
        return os.path.samestat(folder.stat(), os.fstat(directory))
    except OSError:
        return False


def _description(content: bytes, path: Path) -> Description:
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not JSON ({error})") from error
    number = fields.get("format") if isinstance(fields, dict) else None
    if number != FORMAT:
        raise CheckpointError(f"{path}: format {number!r}, this version reads format {FORMAT}")
    try:
        return Description.model_validate(fields)
    except ValidationError as error:
        raise CheckpointError(f"{path}: {ParameterError.from_validation(error)}") from error


def _tokenizer(content: bytes, path: Path, description: Description) -> Tokenizer:
    try:
        tokenizer = Tokenizer(content, description.tokenizer)
    except TokenizerError as error:
        raise CheckpointError(f"{path}: {error}") from error
    expected = description.architecture.vocab_size
    if tokenizer.vocab_size != expected:
        raise CheckpointError(
            f"{path}: holds {tokenizer.vocab_size} tokens, {CONFIG} says vocab_size {expected}"
        )
    return tokenizer


def _weights(content: bytes, path: Path, architecture: ModelConfig) -> dict[str, Tensor]:
    """Stored weights, checked to be those of a network of this architecture."""
    try:
        stored = safetensors.torch.load(content)
    except (safetensors.SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read, is it truncated? ({error})") from error
    with torch.device("meta"):  # a config that says too much must not cost memory
        wanted = distinct_weights(Network(architecture))
    if stored.keys() != wanted.keys():
        differing = ", ".join(sorted(stored.keys() ^ wanted.keys()))
        raise CheckpointError(f"{path}: weights do not match {CONFIG}: {differing}")
    for name, weight in wanted.items():
        if stored[name].shape != weight.shape:
            raise CheckpointError(
                f"{path}: {name} has shape {tuple(stored[name].shape)}, "
                f"{CONFIG} wants {tuple(weight.shape)}"
            )
        if stored[name].dtype not in _DTYPES.values():
            raise CheckpointError(f"{path}: {name} is {stored[name].dtype}, not bf16 or fp32")
        if not bool(torch.isfinite(stored[name]).all()):
            raise CheckpointError(f"{path}: {name} holds values that are not finite")
    return stored
